import Compute
import Layers
import Tensors

/// A part of the encoder or the decoder through which a stream of pictures passes piece by piece, each
/// [frames, height, width, channels]. The pieces' lengths do not change the result.
package protocol StreamModule {
    /// The checkpoint path of its weights.
    var path: String { get }
    /// Output frames for each input frame, apart from the start of a stream.
    var framesPerInput: Int { get }

    /// The output for the next piece of the stream. The module may write into x.
    func callAsFunction(
        _ x: Tensor, stream: StreamState, on device: any Device
    ) throws -> Tensor

    /// The first input frame that an output frame depends on, in a stream that has no start: input frame
    /// n gives the output frames from n * `framesPerInput`.
    func earliestInput(forOutput frame: Int) -> Int
}

extension StreamModule {
    package var framesPerInput: Int { 1 }
    package func earliestInput(forOutput frame: Int) -> Int { frame }
}

/// What a stream's modules remember from one piece to the next.
package final class StreamState {
    /// Whether the next piece is the stream's first.
    package private(set) var isAtStart: Bool
    /// The last input frames of each causal convolution.
    package let histories = FrameHistories()

    /// The state before the first piece, or before one in the middle of a stream.
    package init(isAtStart: Bool) {
        self.isAtStart = isAtStart
    }

    /// Notes that a piece has passed.
    package func endPiece() { isAtStart = false }
}

/// Modules one after another.
package struct StreamChain {
    /// In the order in which a stream passes them.
    package let modules: [any StreamModule]
    /// For each module, how many of the chain's input frames before the first one whose output is wanted
    /// must pass through it, so that the output is as if all had: the receptive field in time of what
    /// begins with this module. It never grows along the chain.
    package let warmUp: [Int]

    /// A chain of these modules.
    package init(_ modules: [any StreamModule]) {
        self.modules = modules
        var rate = modules.reduce(1) { $0 * $1.framesPerInput }
        var earliest = 0
        warmUp = modules.reversed().map { module in
            earliest = module.earliestInput(forOutput: earliest)
            rate /= module.framesPerInput
            return max(0, -floorQuotient(earliest, rate))
        }.reversed()
    }

    /// How many modules, from the first, a piece must pass if it ends `distance` input frames before the
    /// first one whose output is wanted.
    package func depth(atDistance distance: Int) -> Int {
        warmUp.firstIndex { $0 < distance } ?? modules.count
    }

    /// The output of the first `depth` modules for the next piece. `step` is called after each of them.
    package func callAsFunction(
        _ input: Tensor, depth: Int? = nil, stream: StreamState, on device: any Device,
        step: () throws -> Void
    ) throws -> Tensor {
        var x = input
        for module in modules.prefix(depth ?? modules.count) {
            x = try module(x, stream: stream, on: device)
            try step()
        }
        stream.endPiece()
        return x
    }
}

/// a / b rounded down.
func floorQuotient(_ a: Int, _ b: Int) -> Int {
    a >= 0 ? a / b : -((-a + b - 1) / b)
}

/// Counts the steps of a long call.
struct Steps {
    private let activity: String
    private let total: Int
    private var completed = 0

    /// A call of that many steps.
    init(_ activity: String, total: Int) {
        self.activity = activity
        self.total = total
    }

    /// Reports one more step. Throws what the monitor throws.
    mutating func advance(_ monitor: Monitor) throws {
        completed += 1
        try monitor(Progress(activity, completed: completed, total: total))
    }
}
