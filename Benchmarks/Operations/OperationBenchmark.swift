import Compute
import Foundation
import Tensors

/// One operation at one size.
struct OperationBenchmark: Sendable {
    /// The operation and its sizes.
    let name: String
    /// Floating-point operations or bytes moved by a call.
    let work: Double
    /// What `work` per second is counted in: GFLOP/s or GB/s.
    let unit: String
    /// Makes the operands; the result is called again and again.
    let prepare: @Sendable (any Device, DataType) throws -> () throws -> Void

    /// Seconds of a call: the best and the median by the wall clock, and the best of the processor's time, which
    /// other processes lengthen least.
    func measure(
        on device: any Device, _ dataType: DataType, seconds: Double
    ) throws -> (best: Double, median: Double, processor: Double) {
        let call = try prepare(device, dataType)
        try call()
        var times: [Double] = []
        var processor = Double.infinity
        let start = now(CLOCK_MONOTONIC)
        repeat {
            let before = (now(CLOCK_MONOTONIC), now(CLOCK_PROCESS_CPUTIME_ID))
            try call()
            times.append(now(CLOCK_MONOTONIC) - before.0)
            processor = min(processor, now(CLOCK_PROCESS_CPUTIME_ID) - before.1)
        } while now(CLOCK_MONOTONIC) - start < seconds || times.count < 3
        times.sort()
        return (times[0], times[times.count / 2], processor)
    }

    /// Every benchmark.
    static let all = linears + attentions + convolutions + rows

    /// Products of the denoiser, with weights of the device's type of matrices: 384x256 has 288 tokens a block, 704x384 has 3168.
    private static let linears: [OperationBenchmark] = [
        (288, 1024, 1024), (288, 1024, 4096), (288, 4096, 1024), (3168, 1024, 1024),
        (3168, 1024, 4096), (288, 5120, 5120), (3168, 5120, 5120), (1, 1024, 6144),
    ].map { (rows: Int, inner: Int, columns: Int) -> OperationBenchmark in
        OperationBenchmark(
            name: "linear \(rows)x\(inner)x\(columns)",
            work: 2 * Double(rows * inner * columns), unit: "GFLOP/s"
        ) { device, type in
            let x = try noise(device, [rows, inner], type)
            let weight = try device.load(
                [noiseView([columns, inner])],
                as: device.matrixType, for: .linear)
            let bias = try noise(device, [columns], .float32)
            let y = try device.allocate([rows, columns], type)
            return {
                try device.linear(
                    x, weight: weight, bias: bias, activation: .identity, accumulating: false,
                    into: y)
            }
        }
    }

    /// Attention over windows, text, and the positions of a frame.
    private static let attentions: [OperationBenchmark] = [
        (1, 288, 1392, 8, 128), (1, 288, 512, 8, 128), (1, 3168, 3168, 8, 128),
        (1, 3168, 15312, 2, 128), (1, 512, 512, 16, 64), (3, 1536, 1536, 1, 384),
    ].map { (batch: Int, queries: Int, keys: Int, heads: Int, head: Int) -> OperationBenchmark in
        OperationBenchmark(
            name: "attention \(batch)x\(queries)x\(keys)x\(heads)x\(head)",
            work: Double(4 * batch * queries * keys * heads * head), unit: "GFLOP/s"
        ) { device, type in
            let query = try noise(device, [batch, queries, heads, head], type)
            let key = try noise(device, [batch, keys, heads, head], type)
            let value = try noise(device, [batch, keys, heads, head], type)
            let out = try device.allocate(query.shape, type)
            return {
                try device.attention(
                    query: query, key: key, value: value,
                    scale: 1 / Float(head).squareRoot(), bias: nil, into: out)
            }
        }
    }

    /// The decoder's convolutions for 12 frames of 384x256, and the pointwise and the frames' ones.
    private static let convolutions: [OperationBenchmark] = [
        ([5, 48, 32, 384], [384, 384, 3, 3, 3]), ([8, 96, 64, 192], [384, 192, 3, 3, 3]),
        ([8, 96, 64, 384], [384, 384, 3, 3, 3]), ([6, 192, 128, 192], [192, 192, 3, 3, 3]),
        ([6, 384, 256, 96], [96, 96, 3, 3, 3]), ([6, 384, 256, 96], [3, 96, 3, 3, 3]),
        ([4, 384, 256, 192], [96, 192, 1, 3, 3]), ([8, 96, 64, 192], [384, 192, 1, 1, 1]),
        ([5, 48, 32, 384], [768, 384, 3, 1, 1]), ([1, 1, 16000, 512], [512, 512, 1, 1, 3]),
    ].map { (input: [Int], kernel: [Int]) -> OperationBenchmark in
        let spread = kernel[3] > 1 ? 1 : 0
        let geometry = ConvolutionGeometry(
            leading: .init(0, spread, spread), trailing: .init(0, spread, spread))
        let shape = geometry.outputShape(input: Shape(input), weight: Shape(kernel))
        let taps = kernel.dropFirst().reduce(1, *)
        let name = input.map(String.init).joined(separator: "x")
        return OperationBenchmark(
            name: "conv \(name) o\(kernel[0]) k\(kernel[2])\(kernel[3])\(kernel[4])",
            work: 2 * Double(shape.elementCount * taps), unit: "GFLOP/s"
        ) { device, type in
            let x = try noise(device, Shape(input), type)
            let weight = try device.load(
                [noiseView(Shape(kernel))], as: type, for: .convolution(groups: 1))
            let bias = try noise(device, [kernel[0]], .float32)
            let y = try device.allocate(shape, type)
            return {
                try device.convolution(
                    x, weight: weight, bias: bias, geometry: geometry, residual: nil, into: y)
            }
        }
    }

    /// Norms and elementwise operations.
    private static let rows: [OperationBenchmark] =
        [(288, 1024), (3168, 5120)].flatMap { rows, dim in
            [
                rowwise("layernorm \(rows)x\(dim)", [rows, dim], passes: 2) { device, x, y in
                    let scale = try noise(device, [3, dim], .float32)
                    return {
                        try device.layerNorm(
                            x, weight: nil, bias: nil, scale: scale, shift: scale,
                            epsilon: 1e-6, into: y)
                    }
                },
                rowwise("rmsnorm-rotary \(rows)x\(dim)", [rows, dim], passes: 2) { device, x, y in
                    let weight = try noise(device, [dim], .float32)
                    let table = try noise(device, [rows, 64, 2], .float32)
                    return {
                        try device.rmsNorm(
                            x, weight: weight, epsilon: 1e-6, rotation: table, into: y)
                    }
                },
                rowwise("gelu-tanh \(rows)x\(dim)", [rows, dim], passes: 2) { device, x, y in
                    { try device.activate(x, .geluTanh, into: y) }
                },
                rowwise("gated-add \(rows)x\(dim)", [rows, dim], passes: 3) { device, x, y in
                    let gate = try noise(device, [3, dim], .float32)
                    return { try device.accumulate(x, gate: gate, onto: y) }
                },
            ]
        } + [
            rowwise("channelnorm-silu 4x384x256x96", [4, 384, 256, 96], passes: 2) {
                device, x, y in
                let weight = try noise(device, [96], .float32)
                return { try device.channelNorm(x, weight: weight, activation: .silu, into: y) }
            },
            rowwise("copy 3168x5120", [3168, 5120], passes: 2) { device, x, y in
                { try device.copy(x, into: y) }
            },
        ]

    /// An operation of one tensor into another of the same shape.
    private static func rowwise(
        _ name: String, _ shape: Shape, passes: Int,
        _ prepare: @escaping @Sendable (any Device, Tensor, Tensor) throws -> () throws -> Void
    ) -> OperationBenchmark {
        OperationBenchmark(
            name: name, work: Double(passes * shape.elementCount * 4), unit: "GB/s of float32"
        ) { device, type in
            try prepare(
                device, noise(device, shape, type), noise(device, shape, type))
        }
    }
}

/// Seconds on a clock.
private func now(_ clock: clockid_t) -> Double {
    var time = timespec()
    clock_gettime(clock, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

/// Numbers between -1 and 1 that do not repeat soon.
private func noise(_ count: Int) -> [Float] {
    var state: UInt32 = 1
    return (0..<count).map { _ in
        state = state &* 1_664_525 &+ 1_013_904_223
        return Float(Int32(bitPattern: state)) * 0x1p-31
    }
}

/// A tensor of such numbers.
private func noise(_ device: any Device, _ shape: Shape, _ type: DataType) throws -> Tensor {
    let tensor = try device.tensor(noise(shape.elementCount), shape)
    return type == .float32 ? tensor : try device.cast(tensor, to: type)
}

/// A view of such numbers.
private func noiseView(_ shape: Shape) -> TensorView {
    let numbers = NSData(
        data: noise(shape.elementCount).withUnsafeBytes { Data($0) })
    return TensorView(
        name: "weight", dataType: .float32, shape: shape,
        bytes: UnsafeRawBufferPointer(start: numbers.bytes, count: numbers.length),
        owner: numbers)
}
