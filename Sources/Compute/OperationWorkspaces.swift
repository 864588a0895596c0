import Tensors

/// The memory that operations of a card take between their inputs and outputs, so that a run on a device that computes nothing
/// needs as much as one on the card.
public struct OperationWorkspaces: Sendable {
    /// Bytes in which products may work.
    public let productBytes: Int

    /// The work spaces of cards whose products may work in that many bytes.
    public init(productBytes: Int) {
        self.productBytes = productBytes
    }

    /// Hopper's and later cards', on which cuBLASLt is allowed the most.
    public static let ofCard = OperationWorkspaces(productBytes: 32 << 20)

    /// Bytes of the block in which a convolution in float32 works: its operands in another order.
    func convolution(_ x: Tensor, weight: Tensor, into y: Tensor) -> [Int] {
        guard weight.dataType == .float32 else { return [] }
        return [x.byteCount + weight.byteCount + y.byteCount]
    }

    /// Bytes of the blocks that `linear` holds at once.
    func linear(
        _ x: Tensor, weight: Tensor, activation: Activation, accumulating: Bool, into y: Tensor,
        activationType: DataType
    ) -> [Int] {
        var blocks = [productBytes]
        let count = y.shape.elementCount
        guard weight.scales != nil else {
            if x.dataType != weight.dataType {
                blocks.append(x.shape.elementCount * weight.dataType.size)
            }
            let isDirect =
                (weight.dataType == .bfloat16 || y.dataType == .float32) && y.scales == nil
                && !(accumulating && activation != .identity)
            if !isDirect { blocks.append(count * DataType.float32.size) }
            return blocks
        }
        if y.scales != nil || accumulating && activation != .identity {
            blocks.append(count * activationType.size)
        }
        let isReady = x.dataType == weight.dataType && x.hasScaledRows
        if !isReady { blocks += [x.shape[0] * DataType.float32.size] }
        if x.dataType != weight.dataType { blocks.append(x.shape.elementCount) }
        if weight.dataType == .int8 { blocks.append(count * DataType.int32.size) }
        return blocks
    }
}
