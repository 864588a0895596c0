import Compute
import ComputeCUDA
import Tensors

extension KernelBenchmark {
    /// Operations of the denoiser, the decoder and the text encoder.
    static let all: [KernelBenchmark] =
        norms + sums + rotations + pictures + text + narrowProducts + narrowRows
        + narrowValues + narrowAttention

    static let (tokens, frameTokens, dim, heads, head) = (3168, 1056, 5120, 40, 128)
    static let chosen = Variant("chosen")

    private static let reading: [Variant] = [
        Variant("plain reads") { $0.reading = .plain },
        Variant("reads past L1") { $0.reading = .pastL1 },
    ]

    static let normVariants: [Variant] =
        [chosen] + reading + [
            Variant("1 piece, 1 row ahead") { $0.normPieces = 1 },
            Variant("2 rows ahead") { $0.normAhead = 2 },
            Variant("a row a block") { $0.normsTakeTurns = false },
        ]

    private static let norms: [KernelBenchmark] = [
        KernelBenchmark(
            name: "layerNorm modulated [3168, 5120]", variants: normVariants
        ) { device in
            let (x, y) = (try noise(device, [tokens, dim]), try noise(device, [tokens, dim]))
            let modulation = try noise(device, [6, dim], .float32)
            return Operands(tensors: [x, y], result: y) {
                try device.layerNorm(
                    x, weight: nil, bias: nil, scale: modulation.rows(0..<1),
                    shift: modulation.rows(1..<2), epsilon: 1e-6, into: y)
            }
        },
        KernelBenchmark(name: "layerNorm by frames [3168, 5120]", variants: normVariants) {
            device in
            let (x, y) = (try noise(device, [tokens, dim]), try noise(device, [tokens, dim]))
            let (scale, shift) = (
                try noise(device, [3, dim], .float32), try noise(device, [3, dim], .float32)
            )
            return Operands(tensors: [x, y], result: y) {
                try device.layerNorm(
                    x, weight: nil, bias: nil, scale: scale, shift: shift, epsilon: 1e-6, into: y)
            }
        },
        KernelBenchmark(name: "layerNorm weighted [3168, 5120]", variants: normVariants) {
            device in
            let (x, y) = (try noise(device, [tokens, dim]), try noise(device, [tokens, dim]))
            let (weight, bias) = (
                try noise(device, [dim], .float32), try noise(device, [dim], .float32)
            )
            return Operands(tensors: [x, y], result: y) {
                try device.layerNorm(
                    x, weight: weight, bias: bias, scale: nil, shift: nil, epsilon: 1e-6, into: y)
            }
        },
        rmsNorm("rmsNorm [3168, 5120]", isRotated: false),
        rmsNorm("rmsNorm rotated [3168, 5120]", isRotated: true),
    ]

    /// Of queries out of the product of queries and keys.
    private static func rmsNorm(_ name: String, isRotated: Bool) -> KernelBenchmark {
        KernelBenchmark(name: name, variants: normVariants) { device in
            let both = try noise(device, [tokens, isRotated ? 2 * dim : dim])
            let (x, y) = (both.columns(0..<dim), try noise(device, [tokens, dim]))
            let weight = try noise(device, [dim], .float32)
            let table = isRotated ? try noise(device, [tokens, head / 2, 2], .float32) : nil
            return Operands(tensors: [x, y] + (table.map { [$0] } ?? []), result: y) {
                try device.rmsNorm(x, weight: weight, epsilon: 1e-6, rotation: table, into: y)
            }
        }
    }

    private static let sumVariants: [Variant] =
        [chosen] + reading + [
            Variant("1 row a thread") { $0.addRows = 1 },
            Variant("4 rows a thread") { $0.addRows = 4 },
        ]

    /// Onto x itself, which is read and written; the numbers stay small as the addend does.
    private static let sums: [KernelBenchmark] = [
        ("add gated [3168, 5120]", true), ("add [3168, 5120]", false),
    ].map { name, isGated in
        KernelBenchmark(name: name, variants: sumVariants) { device in
            let x = try noise(device, [tokens, dim])
            let addend = try noise(device, [tokens, dim])
            let gate = isGated ? try noise(device, [1, dim], .float32) : nil
            return Operands(tensors: [x, addend, x], result: x) {
                try device.add(x, addend, gate: gate, mask: nil, alpha: 0.125, into: x)
            }
        }
    }

    private static let rotations: [KernelBenchmark] = [
        KernelBenchmark(
            name: "rotate [1056, 40, 128]",
            variants: [chosen] + reading + [
                Variant("1 row a thread") { $0.rotateRows = 1 },
                Variant("4 rows a thread") { $0.rotateRows = 4 },
            ]
        ) { device in
            let x = try noise(device, [frameTokens, heads, head])
            let y = try noise(device, [frameTokens, heads, head])
            let table = try noise(device, [frameTokens, head / 2, 2], .float32)
            return Operands(tensors: [x, y, table], result: y) {
                try device.rotate(x, by: table, into: y)
            }
        }
    ]

    private static let pictures: [KernelBenchmark] =
        [[12, 384, 704, 96], [12, 192, 352, 192], [6, 96, 176, 384]].map { shape in
            KernelBenchmark(name: "channelNorm silu \(Shape(shape))", variants: [chosen]) {
                device in
                let (x, y) = (try noise(device, Shape(shape)), try noise(device, Shape(shape)))
                let weight = try noise(device, [shape[3]], .float32)
                return Operands(tensors: [x, y], result: y) {
                    try device.channelNorm(x, weight: weight, activation: .silu, into: y)
                }
            }
        } + [
            KernelBenchmark(name: "copy [2, 384, 704, 96]", variants: [chosen]) { device in
                let shape: Shape = [2, 384, 704, 96]
                let (x, y) = (try noise(device, shape), try noise(device, shape))
                return Operands(tensors: [x, y], result: y) { try device.copy(x, into: y) }
            },
            KernelBenchmark(name: "upsample to [12, 384, 704, 192]", variants: [chosen]) {
                device in
                let x = try noise(device, [12, 192, 352, 192])
                let y = try device.allocate([12, 384, 704, 192], .bfloat16)
                return Operands(tensors: [x, y], result: y) { try device.upsample(x, into: y) }
            },
        ]

    private static let text: [KernelBenchmark] = [
        KernelBenchmark(name: "rmsNorm float32 to bfloat16 [512, 4096]", variants: [chosen]) {
            device in
            let x = try noise(device, [512, 4096], .float32)
            let y = try noise(device, [512, 4096])
            let weight = try noise(device, [4096], .float32)
            return Operands(tensors: [x, y], result: y) {
                try device.rmsNorm(x, weight: weight, epsilon: 1e-6, rotation: nil, into: y)
            }
        },
        KernelBenchmark(name: "multiply geluTanh [512, 10240]", variants: [chosen]) { device in
            let (x, y) = (try noise(device, [512, 10240]), try noise(device, [512, 10240]))
            let factor = try noise(device, [512, 10240])
            return Operands(tensors: [x, factor, y], result: y) {
                try device.multiply(activating: x, .geluTanh, by: factor, into: y)
            }
        },
    ]
}

/// Numbers between -1 and 1; the same again after some millions.
func noise(
    _ device: CUDADevice, _ shape: Shape, _ type: DataType = .bfloat16
) throws -> Tensor {
    let tensor = try device.allocate([shape.elementCount], type)
    for start in stride(from: 0, to: shape.elementCount, by: Noise.values.count) {
        let end = min(shape.elementCount, start + Noise.values.count)
        try write(end - start, of: type, to: tensor.rows(start..<end), on: device)
    }
    return tensor.reshaped(shape)
}

private func write(
    _ count: Int, of type: DataType, to tensor: Tensor, on device: CUDADevice
) throws {
    if type == .float32 {
        try Noise.values[..<count].withUnsafeBytes { try device.write($0, to: tensor) }
    } else {
        try Noise.halves[..<count].withUnsafeBytes { try device.write($0, to: tensor) }
    }
}

private enum Noise {
    static let values: [Float] = {
        var state: UInt32 = 1
        return (0..<1 << 22).map { _ in
            state = state &* 1_664_525 &+ 1_013_904_223
            return Float(Int32(bitPattern: state)) * 0x1p-31
        }
    }()

    /// The upper halves of the values: bfloat16.
    static let halves = values.map { UInt16($0.bitPattern >> 16) }
}
