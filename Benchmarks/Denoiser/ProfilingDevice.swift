import Compute
import Foundation
import Tensors

/// Passes every operation on and adds up its time, by name and shapes.
final class ProfilingDevice: Device {
    private let device: any Device
    private var times: [String: (calls: Int, seconds: Double)] = [:]

    /// A device that does what another does.
    init(_ device: any Device) {
        self.device = device
    }

    var name: String { device.name }
    var activationType: DataType { device.activationType }

    /// Forgets the times so far.
    func removeTimes() { times = [:] }

    /// A line for each operation, the longest first, with its share and its time in one of so many runs.
    func table(runs: Int) -> String {
        let total = times.values.reduce(0) { $0 + $1.seconds }
        let lines = times.sorted { $0.value.seconds > $1.value.seconds }.map { name, time in
            String(
                format: "%5.1f %% %9.2f ms %4d calls  ", 100 * time.seconds / total,
                1000 * time.seconds / Double(runs), time.calls / runs) + name
        }
        return (lines + [String(format: "%.1f ms in all", 1000 * total / Double(runs))])
            .joined(separator: "\n")
    }

    private func measure<Result>(
        _ name: String, _ operation: () throws -> Result
    ) rethrows -> Result {
        let start = ContinuousClock.now
        defer {
            let seconds = (ContinuousClock.now - start) / .seconds(1)
            times[name, default: (0, 0)].calls += 1
            times[name, default: (0, 0)].seconds += seconds
        }
        return try operation()
    }
}

// MARK: - Memory

extension ProfilingDevice {
    func allocate(_ shape: Shape, _ dataType: DataType) throws -> Tensor {
        try measure("allocate") { try device.allocate(shape, dataType) }
    }

    func load(_ views: [TensorView], as dataType: DataType, for use: TensorUse) throws -> Tensor {
        try device.load(views, as: dataType, for: use)
    }

    func write(_ bytes: UnsafeRawBufferPointer, to tensor: Tensor) throws {
        try measure("write") { try device.write(bytes, to: tensor) }
    }

    func clear(_ tensor: Tensor) throws {
        try measure("clear") { try device.clear(tensor) }
    }

    func read(_ tensor: Tensor, into bytes: UnsafeMutableRawBufferPointer) throws {
        try measure("read") { try device.read(tensor, into: bytes) }
    }

    func synchronize() throws { try device.synchronize() }
}

// MARK: - Operations

extension ProfilingDevice {
    func linear(
        _ x: Tensor, weight: Tensor, bias: Tensor?, activation: Activation, accumulating: Bool,
        into y: Tensor
    ) throws {
        try measure("linear \(x.shape) by \(weight.shape)") {
            try device.linear(
                x, weight: weight, bias: bias, activation: activation, accumulating: accumulating,
                into: y)
        }
    }

    func attention(
        query: Tensor, key: Tensor, value: Tensor, scale: Float, bias: Tensor?, into out: Tensor
    ) throws {
        try measure("attention \(query.shape) over \(key.shape)") {
            try device.attention(
                query: query, key: key, value: value, scale: scale, bias: bias, into: out)
        }
    }

    func convolution(
        _ x: Tensor, weight: Tensor, bias: Tensor?, geometry: ConvolutionGeometry,
        residual: Tensor?, into y: Tensor
    ) throws {
        try measure("convolution") {
            try device.convolution(
                x, weight: weight, bias: bias, geometry: geometry, residual: residual, into: y)
        }
    }

    func layerNorm(
        _ x: Tensor, weight: Tensor?, bias: Tensor?, scale: Tensor?, shift: Tensor?,
        epsilon: Float, into y: Tensor
    ) throws {
        try measure("layerNorm") {
            try device.layerNorm(
                x, weight: weight, bias: bias, scale: scale, shift: shift, epsilon: epsilon,
                into: y)
        }
    }

    func rmsNorm(
        _ x: Tensor, weight: Tensor, epsilon: Float, rotation: Tensor?, into y: Tensor
    ) throws {
        try measure(rotation == nil ? "rmsNorm" : "rmsNorm and rotation") {
            try device.rmsNorm(x, weight: weight, epsilon: epsilon, rotation: rotation, into: y)
        }
    }

    func rotate(_ x: Tensor, by table: Tensor, into y: Tensor) throws {
        try measure("rotate") { try device.rotate(x, by: table, into: y) }
    }

    func channelNorm(
        _ x: Tensor, weight: Tensor, activation: Activation, into y: Tensor
    ) throws {
        try measure("channelNorm") {
            try device.channelNorm(x, weight: weight, activation: activation, into: y)
        }
    }

    func activate(_ x: Tensor, _ activation: Activation, into y: Tensor) throws {
        try measure("activate") { try device.activate(x, activation, into: y) }
    }

    func multiply(
        activating x: Tensor, _ activation: Activation, by factor: Tensor, into y: Tensor
    ) throws {
        try measure("multiply") {
            try device.multiply(activating: x, activation, by: factor, into: y)
        }
    }

    func add(
        _ x: Tensor, _ addend: Tensor, gate: Tensor?, mask: Tensor?, alpha: Float, into y: Tensor
    ) throws {
        try measure(gate == nil ? "add" : "add gated") {
            try device.add(x, addend, gate: gate, mask: mask, alpha: alpha, into: y)
        }
    }

    func affine(_ x: Tensor, scale: Tensor, shift: Tensor, into y: Tensor) throws {
        try measure("affine") { try device.affine(x, scale: scale, shift: shift, into: y) }
    }

    func copy(_ x: Tensor, into y: Tensor) throws {
        try measure("copy") { try device.copy(x, into: y) }
    }

    func permute(_ x: Tensor, axes: [Int], into y: Tensor) throws {
        try measure("permute") { try device.permute(x, axes: axes, into: y) }
    }

    func gather(_ table: Tensor, rows indices: Tensor, into y: Tensor) throws {
        try measure("gather") { try device.gather(table, rows: indices, into: y) }
    }

    func upsample(_ x: Tensor, into y: Tensor) throws {
        try measure("upsample") { try device.upsample(x, into: y) }
    }

    func quantizePixels(_ x: Tensor, into y: Tensor) throws {
        try measure("quantizePixels") { try device.quantizePixels(x, into: y) }
    }
}
