import Compute
import ComputeCUDA
import Tensors

// Operations of the denoiser in 8 bits.
extension KernelBenchmark {
    private static let feedForward = 13824
    /// Tokens of window and conditioning.
    private static let keys = 15312

    /// Products of scaled rows, and beside them the same in bfloat16.
    static let narrowProducts: [KernelBenchmark] = [
        (dim, dim, Activation.identity), (dim, 2 * dim, .identity),
        (dim, feedForward, .geluTanh), (feedForward, dim, .identity),
    ].flatMap { inner, columns, activation in
        [DataType.float8E4M3, .int8, .bfloat16].map { type in
            let variants =
                type == .float8E4M3
                ? [
                    chosen, Variant("sums in float32") { $0.sumsFloat8Fast = false },
                    Variant("scales behind the product") { $0.scalesInProducts = false },
                ] : [chosen]
            let name = "linear \(type) \(inner) to \(columns)"
            return KernelBenchmark(name: name, variants: variants) { device in
                let x = try rows(device, [tokens, inner], type)
                let weight = try rows(device, [columns, inner], type)
                let bias = try noise(device, [columns], .float32)
                let y = try device.allocate([tokens, columns], .bfloat16)
                return Operands(
                    tensors: [x, weight, y], result: y, flops: 2 * tokens * inner * columns
                ) {
                    try device.linear(
                        x, weight: weight, bias: bias, activation: activation,
                        accumulating: false, into: y)
                }
            }
        }
    }

    /// Random rows, with scales where the type has them.
    private static func rows(
        _ device: CUDADevice, _ shape: Shape, _ type: DataType
    ) throws -> Tensor {
        let wide = try noise(device, shape)
        guard type.isNarrow else { return wide }
        let scaled = try device.allocateScaledRows(shape, type)
        try device.copy(wide, into: scaled)
        return scaled
    }

    /// What writes scaled rows, or numbers by one scale.
    static let narrowRows: [KernelBenchmark] = [
        KernelBenchmark(
            name: "layerNorm modulated to float8 [3168, 5120]", variants: normVariants
        ) { device in
            let x = try noise(device, [tokens, dim])
            let y = try device.allocateScaledRows([tokens, dim], .float8E4M3)
            let modulation = try noise(device, [6, dim], .float32)
            return Operands(tensors: [x, y], result: y) {
                try device.layerNorm(
                    x, weight: nil, bias: nil, scale: modulation.rows(0..<1),
                    shift: modulation.rows(1..<2), epsilon: 1e-6, into: y)
            }
        },
        KernelBenchmark(
            name: "rmsNorm rotated to float8 [3168, 5120]", variants: normVariants
        ) { device in
            let x = try noise(device, [tokens, 2 * dim]).columns(0..<dim)
            let scale = try device.tensor([0.1], [1])
            let y = try device.allocate([tokens, dim], .float8E4M3).scaled(byOne: scale)
            let weight = try noise(device, [dim], .float32)
            let table = try noise(device, [tokens, head / 2, 2], .float32)
            return Operands(tensors: [x, y, table], result: x) {
                try device.rmsNorm(x, weight: weight, epsilon: 1e-6, rotation: table, into: y)
            }
        },
        quantization("copy to float8 [3168, 5120]", width: dim, .identity),
        quantization("geluTanh to float8 [3168, 13824]", width: feedForward, .geluTanh),
        quantization("copy to float8 [3168, 13824]", width: feedForward, .identity),
    ]

    private static func quantization(
        _ name: String, width: Int, _ activation: Activation
    ) -> KernelBenchmark {
        KernelBenchmark(name: name, variants: [chosen]) { device in
            let x = try noise(device, [tokens, width])
            let y = try device.allocateScaledRows([tokens, width], .float8E4M3)
            return Operands(tensors: [x, y], result: x) {
                try device.activate(x, activation, into: y)
            }
        }
    }

    /// Values into a window of 8 bits, row by row and in tiles.
    static let narrowValues: [KernelBenchmark] = [false, true].map { isTiled in
        KernelBenchmark(
            name: "values to float8\(isTiled ? " in tiles" : "") [3168, 5120]", variants: [chosen]
        ) { device in
            let x = try noise(device, [tokens, dim])
            let y = try numbers(device, [tokens, dim], isTiled: isTiled)
            return Operands(tensors: [x, y], result: x) { try device.copy(x, into: y) }
        }
    }

    /// Self-attention over window and conditioning in both types, and with values that must be put into tiles before.
    static let narrowAttention: [KernelBenchmark] = [
        (DataType.float8E4M3, true), (.float8E4M3, false), (.bfloat16, false),
    ].map { type, isTiled in
        let variants =
            type == .bfloat16 ? [chosen, Variant("cuDNN") { $0.attendsItself = false }] : [chosen]
        return KernelBenchmark(
            name: "attention \(type) [3168 x 15312, 40, 128]"
                + (type == .bfloat16 || isTiled ? "" : ", values in rows"), variants: variants
        ) { device in
            func operand(_ count: Int, isTiled: Bool = false) throws -> Tensor {
                let shape: Shape = [count, heads, head]
                let wide = try noise(device, shape)
                guard type == .float8E4M3 else { return wide.reshaped([1, count, heads, head]) }
                let numbers = try numbers(device, shape, isTiled: isTiled)
                try device.copy(wide, into: numbers)
                return numbers.reshaped([1, count, heads, head])
            }
            let (query, key) = (try operand(tokens), try operand(keys))
            let value = try operand(keys, isTiled: isTiled)
            let out = try operand(tokens)
            return Operands(
                tensors: [query, key, value, out], result: out,
                flops: 4 * tokens * keys * dim
            ) {
                try device.attention(
                    query: query, key: key, value: value, scale: 0.0884, bias: nil, into: out)
            }
        }
    }

    /// Memory for numbers of 8 bits by one scale for all.
    private static func numbers(
        _ device: CUDADevice, _ shape: Shape, isTiled: Bool
    ) throws -> Tensor {
        let scale = try device.tensor([Float(1) / 448], [1])
        return try device.allocate(shape, .float8E4M3).scaled(byOne: scale, inTiles: isTiled)
    }
}
