import Tensors

/// A tensor of a checkpoint that a model asked for, not yet loaded.
///
/// A model is built from parameters at once; their bytes are looked at when they are needed, so that
/// weights can be loaded layer by layer, or again and again.
public struct BoundTensor: Sendable {
    /// Name, type and shape in the checkpoint.
    public let descriptor: TensorDescriptor
    private let checkpoint: any Checkpoint

    init(_ descriptor: TensorDescriptor, in checkpoint: any Checkpoint) {
        self.descriptor = descriptor
        self.checkpoint = checkpoint
    }

    /// The full name in the checkpoint.
    public var name: String { descriptor.name }
    /// The extents.
    public var shape: Shape { descriptor.shape }
    /// The type of the elements.
    public var dataType: DataType { descriptor.dataType }
    /// Bytes of all elements.
    public var byteCount: Int { descriptor.byteCount }

    /// The elements: in place where the checkpoint has them so, else made now (a merged LoRA) and
    /// gone with the view. Throws what the checkpoint throws.
    public func view() throws -> TensorView { try checkpoint.tensor(name) }

    /// Tells the kernel how the bytes will be used next: `.willNeed` one layer ahead, `.dontNeed`
    /// after they went to a device.
    public func advise(_ advice: MappedFile.Advice) { checkpoint.advise(advice, name) }
}
