import Compute
import Denoiser
import Foundation

/// A plan for programs: the JSON of `plan-run --json`, with names in snake case. `REPORT.md` says what they mean.
public struct PlanReport: Codable, Hashable, Sendable {
    /// Width and height in pixels.
    public let size: [Int]
    public let steps: Int
    public let clipFrames: Int
    public let precision: Precision
    public let attention: AttentionType
    public let branches: Int
    public let actors: Int
    public let devices: [Device]
    public let idleDevices: [String]
    public let framesPerSecond: Double?
    public let disk: Disk

    /// One place.
    public struct Device: Codable, Hashable, Sendable {
        public let name: String
        public let steps: [Int]
        public let limitBytes: Int?
        public let totalBytes: Int
        public let tensorBytes: Int
        public let overheadBytes: Int?
        public let minimumBytes: Int
        public let hostBytes: Int
        public let groups: Groups
        public let streamed: Streamed
        public let link: Link
        public let seconds: Seconds?
        public let rates: Rates?
        public let notes: [String]
    }

    /// Bytes by what they are for.
    public struct Groups: Codable, Hashable, Sendable {
        public let fixedWeights: Int
        public let layerWeights: [Int]
        public let weightSlot: Int
        public let startWeights: Int
        public let timeStart: Int
        public let textStart: Int
        public let text: Int
        public let referenceKeys: Int
        public let modulations: Int
        public let window: Int
        public let windowSlot: Int
        public let windowsOfStep: Int
        public let temporaries: Int
        public let libraries: Int
    }

    /// What is streamed.
    public struct Streamed: Codable, Hashable, Sendable {
        public let layers: [Int]
        public let windows: [[Int]]
        public let weightSlots: Int
        public let windowSlots: Int
    }

    /// Bytes over the link.
    public struct Link: Codable, Hashable, Sendable {
        public let fetchedPerStep: Int
        public let storedPerStep: Int
        public let fetchedPerBlock: Int
        public let storedPerBlock: Int
    }

    /// Times of a step.
    public struct Seconds: Codable, Hashable, Sendable {
        public let compute: Double
        public let link: Double
        public let step: Double
        public let block: Double
    }

    /// How fast the device is.
    public struct Rates: Codable, Hashable, Sendable {
        public let card: String
        public let linkBytesPerSecond: Double
        public let source: String
    }

    /// Bytes on the disk for a minute.
    public struct Disk: Codable, Hashable, Sendable {
        public let audioBytesPerMinute: Int
        public let latentBytesPerMinute: Int
        public let frameBytesPerMinute: Int
    }
}

// MARK: - Making

extension PlanReport {
    /// The report of a plan.
    public init(_ plan: RunPlan) {
        let request = plan.request
        size = [request.pictureSize.width, request.pictureSize.height]
        steps = request.steps
        clipFrames = request.grid.clipFrames * DenoiserConfiguration.framesPerLatent
        precision = request.precision
        attention = request.attention
        branches = request.branches
        actors = request.actors
        devices = plan.parts.map { Device($0.plan, steps: $0.steps) }
        idleDevices = plan.idle
        framesPerSecond = plan.framesPerSecond
        disk = Disk(
            audioBytesPerMinute: plan.disk.audio, latentBytesPerMinute: plan.disk.latents,
            frameBytesPerMinute: plan.disk.frames)
    }

    /// The report as text, the same for the same plan.
    public func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
    }
}

extension PlanReport.Device {
    fileprivate init(_ plan: MemoryPlan, steps range: Range<Int>) {
        name = plan.place.name
        steps = range.map { $0 + 1 }
        limitBytes = plan.place.limit
        totalBytes = plan.totalBytes
        tensorBytes = plan.tensorBytes
        overheadBytes = plan.place.overhead?.bytes
        minimumBytes = plan.minimumBytes
        hostBytes = plan.hostBytes
        groups = .init(plan.groups)
        streamed = .init(plan.residency)
        let (link, count) = (plan.linkBytes, plan.request.steps)
        self.link = .init(
            fetchedPerStep: link.fetched / count, storedPerStep: link.stored / count,
            fetchedPerBlock: link.fetched, storedPerBlock: link.stored)
        seconds = plan.seconds.map {
            .init(
                compute: $0.compute, link: $0.link, step: $0.step, block: $0.step * Double(count))
        }
        rates = plan.place.rates.map {
            .init(card: $0.name, linkBytesPerSecond: $0.link, source: $0.source)
        }
        notes = plan.notes
    }
}

extension PlanReport.Groups {
    fileprivate init(_ groups: MemoryGroups) {
        fixedWeights = groups.fixedWeights
        layerWeights = groups.layerWeights
        weightSlot = groups.weightSlot
        startWeights = groups.startWeights
        timeStart = groups.timeStart
        textStart = groups.textStart
        text = groups.text
        referenceKeys = groups.referenceKeys
        modulations = groups.modulations
        window = groups.window
        windowSlot = groups.windowSlot
        windowsOfStep = groups.windowsOfStep
        temporaries = groups.temporaries
        libraries = groups.libraries
    }
}

extension PlanReport.Streamed {
    fileprivate init(_ residency: DenoiserResidency) {
        layers = residency.streamedLayers.sorted()
        windows = residency.streamedWindows.map { $0.sorted() }
        weightSlots = residency.streamedLayers.isEmpty ? 0 : residency.weightSlots
        windowSlots =
            residency.streamedWindows.allSatisfy(\.isEmpty) ? 0 : residency.windowSlots
    }
}
