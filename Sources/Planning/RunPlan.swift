import Compute
import Denoiser
import Tensors

/// The plan of a whole run: its steps divided over places, as the pipeline of time steps does, and the disk that it fills.
public struct RunPlan: Sendable {
    /// What is to be denoised, with all steps.
    public let request: PlanRequest
    /// The places that have steps, in the order of the steps.
    public let parts: [Part]
    /// Names of the places without steps: there are more places than steps.
    public let idle: [String]
    /// What the artifacts take.
    public let disk: DiskPlan

    /// The steps of one place.
    public struct Part: Sendable {
        /// Counted from 0.
        public let steps: Range<Int>
        /// What the place holds for them.
        public let plan: MemoryPlan
    }

    /// Divides the request's steps over places, the first ones getting one more where they do not divide evenly.
    ///
    /// Throws `PlanRefusal` if a place cannot hold its part.
    public init(_ request: PlanRequest, at places: [PlanPlace]) throws {
        precondition(!places.isEmpty)
        self.request = request
        let ranges = Self.divide(request.steps, over: places.count)
        var known: [PlanRequest: [OperationWorkspaces: DryRun]] = [:]
        parts = try zip(ranges, places).map { range, place in
            var part = request
            part.steps = range.count
            let workspaces = place.workspaces
            let dryRun =
                try known[part]?[workspaces] ?? DryRun(part, workspaces: workspaces)
            known[part, default: [:]][workspaces] = dryRun
            return Part(
                steps: range,
                plan: try MemoryPlan(part, at: place, dryRun: dryRun, sizeOption: "--size"))
        }
        idle = places.dropFirst(ranges.count).map(\.name)
        disk = DiskPlan(request)
    }

    /// Successive ranges of so many steps, one for each place or each step, whichever are fewer.
    package static func divide(_ steps: Int, over places: Int) -> [Range<Int>] {
        let count = min(steps, places)
        return (0..<count).map { index in
            func start(_ index: Int) -> Int {
                index * (steps / count) + min(index, steps % count)
            }
            return start(index)..<start(index + 1)
        }
    }

    /// Frames of latents a second once all places have work; nil where rates are not known.
    public var framesPerSecond: Double? {
        let seconds = parts.compactMap(\.plan.secondsOfBlock)
        guard seconds.count == parts.count, let slowest = seconds.max() else { return nil }
        return Double(DenoiserConfiguration.blockVideoFrames) / slowest
    }
}

/// Bytes on the disk for a minute of video.
public struct DiskPlan: Hashable, Sendable {
    /// The encoded voices, float32.
    public let audio: Int
    /// Latents behind the last step, float32, and what entered the other steps, for restarts.
    public let latents: Int
    /// Decoded frames.
    public let frames: Int

    /// Video frames a second, as `encode-audio` makes unless told otherwise.
    public static let framesPerSecond = 25

    /// The artifacts of a request.
    init(_ request: PlanRequest) {
        let seconds = 60
        let configuration = request.model.configuration
        let count = seconds * Self.framesPerSecond
        let row = request.model.audioStates * configuration.audioDim
        audio = request.actors * count * row * DataType.float32.size
        let block =
            configuration.latentChannels * DenoiserConfiguration.blockFrames * request.grid.height
            * request.grid.width * DataType.float32.size
        latents = count / DenoiserConfiguration.blockVideoFrames * request.steps * block
        let (width, height) = request.pictureSize
        frames = count * width * height * 3
    }
}
