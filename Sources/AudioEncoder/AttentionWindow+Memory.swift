import Compute
import Tensors

extension SpeechEncoder {
    /// The window that is used where no memory limit says otherwise: five minutes, half a minute of
    /// context on both sides.
    public var standardWindow: AttentionWindow {
        AttentionWindow(
            length: Int(configuration.stepRate * Self.standardSeconds),
            context: Int(configuration.stepRate * Self.contextSeconds))
    }

    /// The longest window for which weights and activations stay within `limit` bytes on a device,
    /// without what the device's libraries take for themselves. Throws `WindowMemoryTooSmall`.
    public func window(
        memoryLimit limit: Int, fps: Double, activationType: DataType
    ) throws(WindowMemoryTooSmall) -> AttentionWindow {
        let weights = weightBytes(activationType: activationType)
        let piece = pieceBytes(activationType: activationType)
        let stream = configuration.hiddenSize * DataType.float32.size
        let perStep = stepBytes(fps: fps, activationType: activationType)
        let shortest = Int(configuration.stepRate * Self.shortestSeconds)
        let needed = weights + max(shortest * perStep, piece + shortest * stream)
        guard limit >= needed else {
            throw WindowMemoryTooSmall(limit: limit, needed: needed)
        }
        // While features are extracted, only the stream is there beside them.
        let length = min((limit - weights) / perStep, (limit - weights - piece) / stream)
        let context = min(Int(configuration.stepRate * Self.contextSeconds), length / 4)
        return AttentionWindow(length: length, context: context)
    }

    /// Bytes of the weights on a device.
    private func weightBytes(activationType: DataType) -> Int {
        network.parameters.reduce(network.positions.byteCount(activationType: activationType)) {
            let type = $1.type.dataType(activations: activationType, matrices: activationType)
            return $0 + $1.shape.elementCount * type.size
        }
    }

    /// Bytes of the largest convolution of a piece: its input, output and normalised output.
    private func pieceBytes(activationType: DataType) -> Int {
        let activation = activationType.size
        var length = configuration.samplesNeeded(steps: Wav2Vec2.pieceSteps)
        // The samples are there in float32 too.
        var input = length * (activation + DataType.float32.size)
        var largest = 0
        for layer in configuration.convolutions {
            length = (length - layer.kernel) / layer.stride + 1
            let output = length * layer.channels * activation
            largest = max(largest, input + 2 * output)
            input = output
        }
        return largest
    }

    /// Bytes that each step of a window takes in the transformer: the stream, the frames' rows of all states, and
    /// the most that is alive beside them.
    private func stepBytes(fps: Double, activationType: DataType) -> Int {
        let float = DataType.float32.size
        let hidden = configuration.hiddenSize
        let frames = fps / configuration.stepRate
        let rows = frames * Double(configuration.states * hidden * float)
        // Frames' places, and their rows before, after and between while a state is taken.
        let places = frames * Double(3 * float)
        let taking = frames * Double(3 * hidden * float) + Double(hidden * float)
        // Normalised, then query, key, value and attended; or normalised and intermediate.
        let attention = 5 * hidden * activationType.size
        let feedForward = (hidden + configuration.intermediateSize) * activationType.size
        let alive = max(taking, Double(max(attention, feedForward)))
        return hidden * float + Int((rows + places + alive).rounded(.up))
    }

    private static let standardSeconds = 300.0
    private static let contextSeconds = 30.0
    private static let shortestSeconds = 10.0
}

/// A memory limit in which no useful window fits.
public struct WindowMemoryTooSmall: Error, Hashable, Sendable, CustomStringConvertible {
    /// Bytes there are.
    public let limit: Int
    /// Bytes for weights and the shortest window.
    public let needed: Int

    public var description: String {
        "the memory limit of \(limit) bytes is too small for the audio encoder, which needs \(needed)"
    }
}
