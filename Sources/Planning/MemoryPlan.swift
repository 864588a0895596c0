import Compute
import Denoiser
import Layers

/// What one process holds on its device, what it streams, and about how long a step takes.
public struct MemoryPlan: Sendable {
    /// What is to be denoised.
    public let request: PlanRequest
    /// The device.
    public let place: PlanPlace
    /// Bytes by what they are for.
    public let groups: MemoryGroups
    /// What stays on the device and what is streamed.
    public let residency: DenoiserResidency
    /// Bytes that tensors need with that residency.
    public let tensorBytes: Int
    /// Bytes of the whole process on its device: tensors, and what a card holds beside them.
    public let totalBytes: Int
    /// The least limit with which a plan is possible.
    public let minimumBytes: Int
    /// Bytes over the link for one block.
    public let linkBytes: LinkTraffic
    /// Bytes of the host's pinned memory.
    public let hostBytes: Int
    /// Seconds of a step; nil where the device's rates are not known.
    public let seconds: StepSeconds?

    /// Seconds of one step in the mean over a block's.
    public struct StepSeconds: Hashable, Sendable {
        /// The card's work alone.
        public let compute: Double
        /// The link's copies in the direction that carries more, alone.
        public let link: Double
        /// Both together, as they fit.
        public let step: Double
    }
}

/// Where a process runs.
public struct PlanPlace: Hashable, Sendable {
    /// As it is named in the plan: "cuda:0", "cpu", "22.15GiB".
    public var name: String
    /// Bytes that the process may hold there; nil for no limit.
    public var limit: Int?
    /// What a card holds beside tensors; nil for the processor, which has no memory apart and streams nothing.
    public var overhead: CardOverhead?
    /// How fast the card is; nil if that is not known.
    public var rates: CardRates?

    /// A place.
    public init(name: String, limit: Int?, overhead: CardOverhead?, rates: CardRates?) {
        self.name = name
        self.limit = limit
        self.overhead = overhead
        self.rates = rates
    }

    /// Bytes of a process there whose tensors need so many.
    func processBytes(tensors: Int) -> Int {
        guard let overhead else { return tensors }
        let granule = CardOverhead.granule
        return (tensors + granule - 1) / granule * granule + overhead.bytes
    }
}

// MARK: - Making

extension MemoryPlan {
    /// The plan of a request at a place.
    ///
    /// Throws `PlanRefusal` if it cannot fit, or if the card does not offer its types.
    public init(_ request: PlanRequest, at place: PlanPlace) throws {
        try self.init(
            request, at: place, dryRun: DryRun(request, isOnCard: place.overhead != nil),
            isHinting: true)
    }

    init(
        _ request: PlanRequest, at place: PlanPlace, dryRun: DryRun, isHinting: Bool
    ) throws {
        let groups = try MemoryGroups(
            request, dryRun: dryRun, onCard: place.overhead != nil)
        let choice = ResidencyChoice(groups)
        let least = place.overhead == nil ? groups.bytes(.resident) : choice.minimum
        let minimum = place.processBytes(tensors: least)
        if let limit = place.limit, limit < minimum {
            throw PlanRefusal(
                request, at: place, lacking: minimum - limit,
                hint: isHinting ? try PlanHint(request, at: place)?.description : nil)
        }
        let room = place.limit.map { place.overhead?.blockBytes(limit: $0) ?? $0 }
        guard let residency = choice.fitting(room ?? .max) else {
            preconditionFailure("a plan above its minimum fits")
        }
        self.request = request
        self.place = place
        self.groups = groups
        self.residency = residency
        tensorBytes = groups.bytes(residency)
        totalBytes = place.processBytes(tensors: tensorBytes)
        minimumBytes = minimum
        hostBytes = groups.hostBytes(residency)
        let schedule = LinkSchedule(request, groups: groups, residency: residency)
        linkBytes = schedule.bytesOfBlock
        seconds = try Self.seconds(request, place, dryRun, schedule)
    }

    private static func seconds(
        _ request: PlanRequest, _ place: PlanPlace, _ dryRun: DryRun, _ schedule: LinkSchedule
    ) throws -> StepSeconds? {
        guard let rates = place.rates else { return nil }
        let activations = request.precision.activationType
        guard let compute = rates.seconds(of: dryRun.operations, activations: activations) else {
            guard activations == .bfloat16 else { return nil }
            throw PlanRefusal(unoffered: request, by: rates)
        }
        let bytes = schedule.bytesOfBlock
        let steps = Double(request.steps)
        return StepSeconds(
            compute: compute,
            link: Double(max(bytes.fetched, bytes.stored)) / rates.link / steps,
            step: schedule.secondsOfBlock(compute: compute, rate: rates.link) / steps)
    }

    /// Seconds of a block: all steps of the process.
    public var secondsOfBlock: Double? { seconds.map { $0.step * Double(request.steps) } }
}
