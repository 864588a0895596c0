import Tensors

/// What every block of a stream is like, and how the stream is made: its `stream.json`.
///
/// What is nil is unknown, as in a stream made elsewhere.
public struct StreamDescription: Hashable, Sendable {
    /// `latents` or `frames`.
    public var kind: ArtifactKind
    /// The main tensor of a block: latents [channels, latent frames, h, w], frames [n, height, width, 3].
    public var blockShape: Shape
    /// The type of the main tensor's elements.
    public var dataType: DataType
    /// What entered steps 2, 3, ... of a block, kept beside the latents for a restart:
    /// [steps - 1, channels, latent frames, h, w].
    public var stepInputs: TensorLayout?
    /// Video frames that a block stands for.
    public var framesPerBlock: Int?
    /// Video frames of block 0, where they are fewer.
    public var firstBlockFrames: Int?
    /// Video frames per second.
    public var framesPerSecond: Double?
    /// Blocks that the finished stream will have.
    public var blocks: Int?
    /// Latent frames of `lead.safetensors`; nil or 0 if there is none.
    public var leadFrames: Int?
    /// Denoising steps that the latents have gone through.
    public var stepsDone: Int?
    /// Denoising steps of the whole run.
    public var steps: Int?
    /// The solver of the denoising.
    public var solver: String?
    /// The seed of the random numbers.
    public var seed: UInt64?
    /// Blocks that the stream's own writer reads again when it is restarted.
    public var restart: Restart?
    /// How the stream is made.
    public var provenance: Provenance?

    /// The type and shape of a tensor.
    public struct TensorLayout: Hashable, Sendable {
        /// The extents.
        public var shape: Shape
        /// The type of the elements.
        public var dataType: DataType

        /// A tensor's type and shape.
        public init(shape: Shape, dataType: DataType) {
            self.shape = shape
            self.dataType = dataType
        }
    }

    /// Blocks that stay on disk until the stream has ended, whoever consumes it.
    public struct Restart: Hashable, Sendable, Codable {
        /// Blocks from the beginning that are read again.
        public var first: Int
        /// Blocks before the place of the restart that are read again.
        public var last: Int

        /// The needs of a writer; of one that goes on without looking back by default.
        public init(first: Int = 0, last: Int = 0) {
            precondition(first >= 0 && last >= 0)
            self.first = first
            self.last = last
        }
    }

    /// A description of which the kind and the blocks' layout are known; the rest is set after.
    public init(kind: ArtifactKind, blockShape: Shape, dataType: DataType) {
        precondition(kind.isStream)
        self.kind = kind
        self.blockShape = blockShape
        self.dataType = dataType
    }
}

extension StreamDescription {
    /// The name of a block's main tensor: that of the kind.
    public var tensorName: String { kind.rawValue }

    /// The axis of the main tensor that counts frames.
    private var framesAxis: Int { kind == .frames ? 0 : 1 }

    /// The tensors of a block.
    public func tensors(ofBlock index: Int) -> [TensorDescriptor] {
        var extents = blockShape.dimensions
        if kind == .frames, index == 0, let firstBlockFrames {
            extents[framesAxis] = firstBlockFrames
        }
        var tensors = [
            TensorDescriptor(name: tensorName, dataType: dataType, shape: Shape(extents))
        ]
        if let stepInputs {
            tensors.append(
                TensorDescriptor(
                    name: "step_inputs", dataType: stepInputs.dataType, shape: stepInputs.shape))
        }
        return tensors
    }

    /// The tensors of `lead.safetensors`; none if the stream has no lead.
    public var leadTensors: [TensorDescriptor] {
        guard let leadFrames, leadFrames > 0 else { return [] }
        var extents = blockShape.dimensions
        extents[framesAxis] = leadFrames
        return [TensorDescriptor(name: tensorName, dataType: dataType, shape: Shape(extents))]
    }

    /// Video frames that a range of blocks stands for; nil if unknown.
    public func frames(in range: Range<Int>) -> Int? {
        guard let framesPerBlock else { return nil }
        let all = range.count * framesPerBlock
        guard range.contains(0), let firstBlockFrames else { return all }
        return all - framesPerBlock + firstBlockFrames
    }
}

extension StreamDescription {
    /// What makes this stream another than `other`, in words; nil if nothing does.
    public func difference(from other: StreamDescription) -> String? {
        func words(_ name: String, _ mine: (some Equatable)?, _ others: (some Equatable)?)
            -> String?
        {
            let (mine, others) = (mine.map { "\($0)" }, others.map { "\($0)" })
            return mine == others
                ? nil : "\(name) is \(mine ?? "unknown"), it was \(others ?? "unknown")"
        }
        let found =
            words("the kind", kind, other.kind)
            ?? words("the block shape", blockShape, other.blockShape)
            ?? words("the data type", dataType, other.dataType)
            ?? words("the shape of 'step_inputs'", stepInputs?.shape, other.stepInputs?.shape)
            ?? words("the type of 'step_inputs'", stepInputs?.dataType, other.stepInputs?.dataType)
            ?? words("the number of blocks", blocks, other.blocks)
            ?? words("the number of frames per block", framesPerBlock, other.framesPerBlock)
            ?? words("the number of frames of block 0", firstBlockFrames, other.firstBlockFrames)
            ?? words("the frame rate", framesPerSecond, other.framesPerSecond)
        return found
            ?? words("the number of lead frames", leadFrames, other.leadFrames)
            ?? words("the number of steps done", stepsDone, other.stepsDone)
            ?? words("the number of steps", steps, other.steps)
            ?? words("the solver", solver, other.solver)
            ?? words("the seed", seed, other.seed)
            ?? words("what a restart reads", restart, other.restart)
            ?? (provenance ?? .unknown).difference(from: other.provenance)
    }
}

extension Provenance {
    /// A provenance of which nothing is known.
    fileprivate static var unknown: Self {
        var provenance = Provenance(tool: "", toolVersion: "")
        provenance.tool = nil
        provenance.toolVersion = nil
        provenance.options = nil
        provenance.inputs = nil
        return provenance
    }
}
