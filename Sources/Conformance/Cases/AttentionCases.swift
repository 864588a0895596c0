import Compute
import Tensors

extension OperationCase {
    /// Attention: every width of a head that a model has, odd numbers of queries and keys, batches, biases.
    static let attentionCases: [OperationCase] =
        [24, 64, 80, 128, 384].map { head in
            attention("head-\(head)", queries: 70, keys: 150, heads: 2, head: head)
        } + [
            attention("odd-head", queries: 9, keys: 11, heads: 3, head: 7),
            attention("one-query", queries: 1, keys: 333, heads: 4, head: 64),
            attention("one-key", queries: 40, keys: 1, heads: 2, head: 32),
            attention("many-keys", queries: 100, keys: 1031, heads: 2, head: 64),
            attention("many-keys-128", queries: 300, keys: 1100, heads: 2, head: 128),
            // For the kernel of Hopper: whole pairs of tiles, shares of two pairs, a last tile done twice.
            attention("many-keys-128-shared", queries: 300, keys: 1040, heads: 3, head: 128),
            attention(
                "many-keys-128-batch", batch: 2, queries: 40, keys: 1056, heads: 1, head: 128),
            attention(
                "many-keys-128-sharp", queries: 70, keys: 1100, heads: 1, head: 128, scale: 2),
            attention("many-queries", queries: 601, keys: 96, heads: 1, head: 48),
            attention("batch", batch: 3, queries: 33, keys: 47, heads: 2, head: 64),
            attention("bias", queries: 65, keys: 161, heads: 3, head: 64, bias: true),
            attention(
                "batch-bias", batch: 2, queries: 20, keys: 150, heads: 2, head: 16, bias: true),
            attention("sharp", queries: 40, keys: 200, heads: 2, head: 64, scale: 4),
            attention("no-queries", queries: 0, keys: 8, heads: 2, head: 16),
            attentionOfColumns, attentionWithMask,
        ]

    private static func attention(
        _ name: String, batch: Int = 1, queries: Int, keys: Int, heads: Int, head: Int,
        scale: Float? = nil, bias: Bool = false
    ) -> OperationCase {
        OperationCase("attention/\(name)") { inputs in
            let device = inputs.device
            let query = try inputs.random([batch, queries, heads, head])
            let key = try inputs.random([batch, keys, heads, head])
            let value = try inputs.random([batch, keys, heads, head])
            let bias = bias ? try inputs.parameters([heads, queries, keys], scale: 2) : nil
            let out = try inputs.output([batch, queries, heads, head])
            let scale = scale ?? 1 / Float(head).squareRoot()
            return Call(output: out) {
                try device.attention(
                    query: query, key: key, value: value, scale: scale, bias: bias, into: out)
            }
        }
    }

    /// Query, key and value side by side, as one product makes them; the result in a range of columns.
    private static let attentionOfColumns = OperationCase("attention/columns") { inputs in
        let device = inputs.device
        let (tokens, heads, head) = (70, 2, 64)
        let joined = try inputs.random([1, tokens, 3 * heads * head])
        let parts = (0..<3).map {
            joined.columns($0 * heads * head..<($0 + 1) * heads * head)
                .splittingColumns(into: heads)
        }
        let out = try inputs.random([1, tokens, 2 * heads * head])
        let target = out.columns(heads * head..<2 * heads * head).splittingColumns(into: heads)
        return Call(output: out) {
            try device.attention(
                query: parts[0], key: parts[1], value: parts[2], scale: 0.125, bias: nil,
                into: target)
        }
    }

    /// A bias of float32's lowest number, which takes keys out.
    private static let attentionWithMask = OperationCase("attention/mask") { inputs in
        let device = inputs.device
        let (queries, keys, heads) = (20, 170, 2)
        let query = try inputs.random([1, queries, heads, 32])
        let key = try inputs.random([1, keys, heads, 32])
        let value = try inputs.random([1, keys, heads, 32])
        let mask = (0..<heads * queries * keys).map {
            // The first tile of keys is masked whole for some queries.
            $0 % keys < 160 && $0 / keys % 2 == 0 ? -Float.greatestFiniteMagnitude : 0
        }
        let bias = try inputs.tensor(mask, [heads, queries, keys], .float32)
        let out = try inputs.output([1, queries, heads, 32])
        return Call(output: out) {
            try device.attention(
                query: query, key: key, value: value, scale: 0.2, bias: bias, into: out)
        }
    }
}
