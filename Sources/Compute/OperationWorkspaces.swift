import Tensors

/// The memory that operations take between their inputs and outputs, so that a run on a device that computes nothing needs as
/// much as one on the real device. Each list has the bytes of blocks that are held at once.
public enum OperationWorkspaces: Hashable, Sendable {
    /// Those of a card.
    case card(CardAbilities)
    /// Those of a processor.
    case processor(ProcessorAbilities)

    /// What a product holds.
    func linear(
        _ x: Tensor, weight: Tensor, activation: Activation, accumulating: Bool, into y: Tensor,
        activationType: DataType
    ) -> [Int] {
        let isFused = !(accumulating && activation != .identity)
        switch self {
        case .card(let card):
            guard weight.scales != nil else {
                return [card.productBytes] + Self.wide(x, weight, isFused: isFused, into: y)
            }
            return [card.productBytes]
                + card.narrow(
                    x, weight, isFused: isFused, into: y, activationType: activationType)
        case .processor(let processor):
            guard weight.scales != nil else {
                return Self.wide(x, weight, isFused: isFused, into: y)
            }
            return processor.narrow(x, weight)
        }
    }

    /// What a product with a weight without scales holds: x in the weight's type, and sums that go elsewhere behind it.
    private static func wide(
        _ x: Tensor, _ weight: Tensor, isFused: Bool, into y: Tensor
    ) -> [Int] {
        var blocks: [Int] = []
        if x.dataType != weight.dataType {
            blocks.append(x.shape.elementCount * weight.dataType.size)
        }
        let isDirect =
            (weight.dataType == .bfloat16 || y.dataType == .float32) && y.scales == nil && isFused
        if !isDirect { blocks.append(y.shape.elementCount * DataType.float32.size) }
        return blocks
    }

    /// What a convolution holds: on a card in float32 its operands in another order, on a processor x in the weight's type and
    /// sums that are rounded behind it.
    func convolution(_ x: Tensor, weight: Tensor, into y: Tensor) -> [Int] {
        switch self {
        case .card:
            guard weight.dataType == .float32 else { return [] }
            return [x.byteCount + weight.byteCount + y.byteCount]
        case .processor:
            return [
                x.shape.elementCount * weight.dataType.size,
                y.shape.elementCount * DataType.float32.size,
            ]
        }
    }

    /// What an attention holds: what this project's kernel for Hopper leaves between its parts; elsewhere copies of operands of 8
    /// bits, scores where cuDNN does not attend, and on a processor what its threads work in.
    func attention(
        query: Tensor, key: Tensor, value: Tensor, into out: Tensor, activationType: DataType
    ) -> [Int] {
        let isNarrow = query.scales != nil
        let copies = [query, key, value, out].map { $0.shape.elementCount * activationType.size }
        switch self {
        case .card(let card):
            if card.attendsItself(key: key) { return card.attentionBlocks(value: value) }
            let type = isNarrow ? activationType : query.dataType
            return (isNarrow ? copies : []) + card.scores(query: query, key: key, type)
        case .processor(let processor):
            let scratch = processor.threads * ProcessorAbilities.attentionBytes(query)
            return [scratch] + (isNarrow ? copies : [])
        }
    }

    /// Whether the device lays values of 8 bits with heads of this width out in tiles.
    func wantsTiledValues(head: Int) -> Bool {
        guard case .card(let card) = self else { return false }
        return card.wantsTiledValues(head: head)
    }
}

extension CardAbilities {
    /// What an attention in that type holds of scores: nothing where cuDNN attends, which it does in bfloat16.
    fileprivate func scores(query: Tensor, key: Tensor, _ dataType: DataType) -> [Int] {
        guard dataType == .float32 || !attendsByLibrary else { return [] }
        return ScoreChunks(heads: query.shape[2], queries: query.shape[1], keys: key.shape[1])
            .blocks(dataType)
    }

    /// What a product with a weight of 8 bits holds beside its work space.
    fileprivate func narrow(
        _ x: Tensor, _ weight: Tensor, isFused: Bool, into y: Tensor, activationType: DataType
    ) -> [Int] {
        let count = y.shape.elementCount
        var blocks: [Int] = []
        if y.scales != nil || !isFused { blocks.append(count * activationType.size) }
        let isReady = x.dataType == weight.dataType && x.hasScaledRows
        if !isReady { blocks.append(x.shape[0] * DataType.float32.size) }
        if x.dataType != weight.dataType { blocks.append(x.shape.elementCount) }
        if weight.dataType == .int8 {
            blocks.append(count * DataType.int32.size)
        } else if !scalesInProduct {
            blocks.append(count * DataType.bfloat16.size)
        }
        return blocks
    }
}

extension ProcessorAbilities {
    /// Bytes of sums that a product with a weight of 8 bits makes at a time.
    private static let sumBytes = 16 << 20
    /// Bytes of a weight of 8 bits that are widened at a time.
    private static let widenedBytes = 4 << 20

    /// What a product with a weight of 8 bits holds: sums of some rows, those rows of x rounded, and where the numbers are not
    /// multiplied as they are, copies of them.
    fileprivate func narrow(_ x: Tensor, _ weight: Tensor) -> [Int] {
        let (columns, inner) = (weight.shape[0], weight.shape[1])
        let rows = max(1, min(x.shape[0], Self.sumBytes / (4 * columns)))
        var blocks = [rows * columns * DataType.float32.size]
        if x.scales == nil { blocks += [rows * inner, rows * DataType.float32.size] }
        guard weight.dataType != .int8 || !multipliesInt8 else { return blocks }
        let size = multipliesBFloat16 ? DataType.bfloat16.size : DataType.float32.size
        let widened = min(columns, max(1, Self.widenedBytes / (size * inner)))
        return blocks + [4, rows * inner * size, widened * inner * size]
    }

    /// Bytes of one thread's tiles of keys, values and scores, and of its panels of queries, with the widest vectors.
    fileprivate static func attentionBytes(_ query: Tensor) -> Int {
        let (tile, panel, queries) = (144, 32, 256)
        let head = (query.shape[3] + 15) / 16 * 16
        let floats = tile * (2 * head + panel) + head + queries * (2 * head + 2)
        return floats * DataType.float32.size
    }
}
