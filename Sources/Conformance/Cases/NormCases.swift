import Compute
import Tensors

extension OperationCase {
    /// Norms and rotation: all optional parts, groups of rows, odd widths, ranges of columns.
    static let normCases: [OperationCase] =
        [16, 37, 1024].flatMap { width in
            [
                layerNorm("plain-\(width)", rows: 12, width: width),
                layerNorm("weighted-\(width)", rows: 12, width: width, weighted: true),
                layerNorm("modulated-\(width)", rows: 12, width: width, groups: 3),
                rmsNorm("plain-\(width)", rows: 12, width: width),
                channelNorm("\(width)", width: width),
            ]
        } + [
            layerNorm("everything", rows: 8, width: 96, weighted: true, groups: 8),
            layerNorm("no-rows", rows: 0, width: 96),
            // So many wide rows that a card's blocks do several, of one group and of the next.
            layerNorm("wide", rows: 1790, width: 1312),
            layerNorm("wide-weighted", rows: 1790, width: 1312, weighted: true),
            layerNorm("wide-modulated", rows: 1790, width: 1312, groups: 5),
            rmsNorm("wide", rows: 1790, width: 1312),
            rmsNorm("wide-rotated", rows: 1790, width: 1312, head: 32),
            rmsNorm("rotated", rows: 20, width: 256, head: 128),
            rmsNorm("rotated-24", rows: 20, width: 72, head: 24),
            rotation("64", heads: 4, head: 64), rotation("10", heads: 3, head: 10),
            layerNormOfColumns, rmsNormSplit, channelNormOfZeros, layerNormOffset,
        ]

    private static func layerNorm(
        _ name: String, rows: Int, width: Int, weighted: Bool = false, groups: Int = 0
    ) -> OperationCase {
        OperationCase("layerNorm/\(name)") { inputs in
            let device = inputs.device
            let x = try inputs.random([rows, width], scale: 3)
            let parameters = weighted ? try inputs.parameters([2, width]) : nil
            let modulation = groups > 0 ? try inputs.parameters([groups, 2 * width]) : nil
            let y = try inputs.output([rows, width])
            return Call(output: y) {
                try device.layerNorm(
                    x, weight: parameters?[0], bias: parameters?[1],
                    scale: modulation?.columns(0..<width),
                    shift: modulation?.columns(width..<2 * width), epsilon: 1e-6, into: y)
            }
        }
    }

    private static func rmsNorm(
        _ name: String, rows: Int, width: Int, head: Int? = nil
    ) -> OperationCase {
        OperationCase("rmsNorm/\(name)") { inputs in
            let device = inputs.device
            let x = try inputs.random([rows, width], scale: 3)
            let weight = try inputs.parameters([width])
            let table = try head.map { try inputs.rotation([rows, $0 / 2, 2]) }
            let y = try inputs.output([rows, width])
            return Call(output: y) {
                try device.rmsNorm(x, weight: weight, epsilon: 1e-6, rotation: table, into: y)
            }
        }
    }

    private static func channelNorm(_ name: String, width: Int) -> OperationCase {
        OperationCase("channelNorm/silu-\(name)") { inputs in
            let device = inputs.device
            let x = try inputs.random([2, 3, 4, width], scale: 3)
            let weight = try inputs.parameters([width])
            let y = try inputs.output([2, 3, 4, width])
            return Call(output: y) {
                try device.channelNorm(x, weight: weight, activation: .silu, into: y)
            }
        }
    }

    private static func rotation(_ name: String, heads: Int, head: Int) -> OperationCase {
        OperationCase("rotate/\(name)") { inputs in
            let device = inputs.device
            let x = try inputs.random([9, heads, head])
            let table = try inputs.rotation([9, head / 2, 2])
            let y = try inputs.output([9, heads, head])
            return Call(output: y) { try device.rotate(x, by: table, into: y) }
        }
    }

    /// From a range of columns, in float32 out of the run's type.
    private static let layerNormOfColumns = OperationCase("layerNorm/columns") { inputs in
        let device = inputs.device
        let x = try inputs.random([7, 200]).columns(100..<164)
        let y = try inputs.output([7, 64], .float32)
        return Call(output: y) {
            try device.layerNorm(
                x, weight: nil, bias: nil, scale: nil, shift: nil, epsilon: 1e-5, into: y)
        }
    }

    /// Heads of a range of columns, normed over all of them, into a window of keys.
    private static let rmsNormSplit = OperationCase("rmsNorm/split") { inputs in
        let device = inputs.device
        let (rows, heads, head) = (10, 4, 32)
        let x = try inputs.random([rows, 3 * heads * head]).columns(128..<256)
        let weight = try inputs.parameters([heads * head])
        let table = try inputs.rotation([rows, head / 2, 2])
        let window = try inputs.random([2 * rows, heads, head])
        let y = window.rows(5..<5 + rows)
        return Call(output: window) {
            try device.rmsNorm(x, weight: weight, epsilon: 1e-6, rotation: table, into: y)
        }
    }

    /// A length of zero must not divide.
    private static let channelNormOfZeros = OperationCase("channelNorm/zeros") { inputs in
        let device = inputs.device
        let x = try inputs.random([1, 2, 3, 20], scale: 0)
        let weight = try inputs.parameters([20])
        let y = try inputs.output([1, 2, 3, 20])
        return Call(output: y) {
            try device.channelNorm(x, weight: weight, activation: .identity, into: y)
        }
    }

    /// A mean far from zero must not cancel the variance; float32, as it is about sums.
    private static let layerNormOffset = OperationCase("layerNorm/offset", .within(1e-5)) {
        inputs in
        let device = inputs.device
        let x = try inputs.parameters([4, 512])
        try device.accumulate(
            inputs.tensor([Float](repeating: 100, count: 512), [1, 512], .float32), onto: x)
        let y = try inputs.output([4, 512], .float32)
        return Call(output: y) {
            try device.layerNorm(
                x, weight: nil, bias: nil, scale: nil, shift: nil, epsilon: 1e-5, into: y)
        }
    }
}
