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

// MARK: - Making

extension MemoryPlan {
    /// The plan of a request at a place.
    ///
    /// Throws `PlanRefusal` if it cannot fit, or if the card does not offer its types; `sizeOption` is what makes pictures smaller.
    public init(
        _ request: PlanRequest, at place: PlanPlace, sizeOption: String = "--size"
    ) throws {
        try self.init(
            request, at: place, dryRun: DryRun(request, workspaces: place.workspaces),
            sizeOption: sizeOption)
    }

    /// The same from a dry run; a refusal hints at nothing without `sizeOption`.
    init(
        _ request: PlanRequest, at place: PlanPlace, dryRun: DryRun, sizeOption: String?
    ) throws {
        guard place.offers(request.precision.matrixType) else {
            throw PlanRefusal(
                unoffered: request.precision.matrixType, by: place.rates?.cardName ?? place.name)
        }
        let groups = try MemoryGroups(request, at: place, dryRun: dryRun)
        let choice = ResidencyChoice(groups)
        let least = place.overhead == nil ? groups.bytes(.resident) : choice.minimum
        let minimum = place.processBytes(tensors: least)
        if let limit = place.limit, limit < minimum {
            throw PlanRefusal(
                request, at: place, lacking: minimum - limit,
                hint: try sizeOption.flatMap {
                    try PlanHint(request, at: place, sizeOption: $0)?.description
                })
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
            return nil
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
