import Compute
import Tensors

/// A device with the scheme that the released code has for 8 bits, to compare with: one scale for a
/// whole weight, and one for all that it multiplies, in place of one for each row. All else is the
/// base's.
public final class PerTensorDevice: Device {
    /// The device that does the work.
    private let base: any Device
    public var name: String { base.name }
    public var activationType: DataType { base.activationType }
    public var matrixType: DataType { base.matrixType }

    /// A device that works as `base`, which has matrices of int8 or float8_e4m3.
    public init(_ base: any Device) { self.base = base }

    /// Views that are stacked are weights of their own, each with its scale.
    public func load(
        _ views: [TensorView], as dataType: DataType, for use: TensorUse
    ) throws -> Tensor {
        guard case .linear = use, dataType.isNarrow else {
            return try base.load(views, as: dataType, for: use)
        }
        let weights = try views.map { view in
            let weight = try base.allocateScaledRows(view.shape, dataType)
            try round(base.load([view], as: .float32, for: .elements), into: weight)
            return weight
        }
        return try base.load(
            weights.map { try StoredRows($0.numbers, on: base).view },
            scales: weights.compactMap(\.scales).map { try StoredRows($0, on: base).view })
    }

    public func load(_ numbers: [TensorView], scales: [TensorView]) throws -> Tensor {
        try base.load(numbers, scales: scales)
    }

    public func allocateInput(rows: Int, of weight: Tensor) throws -> Tensor {
        try base.allocateInput(rows: rows, of: weight)
    }

    public func wantsTiledValues(head: Int) -> Bool { base.wantsTiledValues(head: head) }

    /// Rounds x [rows, k] by the largest of the scales that its rows would have.
    private func round(_ x: Tensor, into y: Tensor) throws {
        try base.copy(x, into: y)
        guard let scales = y.scales else { return }
        // Rows of zeros have a scale of 1.
        let largest = try base.floats(scales).filter { $0 != 1 }.max() ?? 1
        try base.copy(x, into: y.numbers.scaled(byOne: base.tensor([largest], [1])))
        let same = [Float](repeating: largest, count: scales.shape[0])
        try same.withUnsafeBytes { try base.write($0, to: scales) }
    }

    /// Has rows computed in a type, and rounds them if y has a scale for each.
    private func rounding(
        _ type: DataType, into y: Tensor, _ compute: (Tensor) throws -> Void
    ) throws {
        guard y.hasScaledRows else { return try compute(y) }
        let wide = try base.allocate(y.shape, type)
        try compute(wide)
        try round(wide, into: y)
    }
}

/// A tensor's elements in the host's memory, as they would be stored.
private final class StoredRows {
    private let bytes: UnsafeMutableRawBufferPointer
    private let shape: Shape
    private let dataType: DataType

    init(_ tensor: Tensor, on device: any Device) throws {
        (shape, dataType) = (tensor.shape, tensor.dataType)
        bytes = .allocate(byteCount: tensor.byteCount, alignment: 64)
        try device.read(tensor, into: bytes)
    }

    deinit { bytes.deallocate() }

    var view: TensorView {
        TensorView(
            name: "", dataType: dataType, shape: shape, bytes: UnsafeRawBufferPointer(bytes),
            owner: self)
    }
}

// MARK: - What writes rows

extension PerTensorDevice {
    public func linear(
        _ x: Tensor, weight: Tensor, bias: Tensor?, activation: Activation, accumulating: Bool,
        into y: Tensor
    ) throws {
        var x = x
        if weight.scales != nil, x.scales == nil {
            let rounded = try base.allocateScaledRows(x.shape, weight.dataType)
            try round(x, into: rounded)
            x = rounded
        }
        try rounding(activationType, into: y) {
            try base.linear(
                x, weight: weight, bias: bias, activation: activation,
                accumulating: accumulating, into: $0)
        }
    }

    public func layerNorm(
        _ x: Tensor, weight: Tensor?, bias: Tensor?, scale: Tensor?, shift: Tensor?,
        epsilon: Float, into y: Tensor
    ) throws {
        try rounding(activationType, into: y) {
            try base.layerNorm(
                x, weight: weight, bias: bias, scale: scale, shift: shift, epsilon: epsilon,
                into: $0)
        }
    }

    public func rmsNorm(
        _ x: Tensor, weight: Tensor, epsilon: Float, rotation: Tensor?, into y: Tensor
    ) throws {
        try rounding(activationType, into: y) {
            try base.rmsNorm(x, weight: weight, epsilon: epsilon, rotation: rotation, into: $0)
        }
    }

    public func activate(_ x: Tensor, _ activation: Activation, into y: Tensor) throws {
        try rounding(.float32, into: y) { try base.activate(x, activation, into: $0) }
    }

    public func multiply(
        activating x: Tensor, _ activation: Activation, by factor: Tensor, into y: Tensor
    ) throws {
        try rounding(activationType, into: y) {
            try base.multiply(activating: x, activation, by: factor, into: $0)
        }
    }

    public func copy(_ x: Tensor, into y: Tensor) throws {
        guard y.hasScaledRows, x.scales == nil else { return try base.copy(x, into: y) }
        try round(x, into: y)
    }
}

// MARK: - What the base does as it is

extension PerTensorDevice {
    public func allocate(_ shape: Shape, _ dataType: DataType) throws -> Tensor {
        try base.allocate(shape, dataType)
    }

    public func write(_ bytes: UnsafeRawBufferPointer, to tensor: Tensor) throws {
        try base.write(bytes, to: tensor)
    }

    public func clear(_ tensor: Tensor) throws { try base.clear(tensor) }

    public func read(_ tensor: Tensor, into bytes: UnsafeMutableRawBufferPointer) throws {
        try base.read(tensor, into: bytes)
    }

    public func synchronize() throws { try base.synchronize() }

    public func attention(
        query: Tensor, key: Tensor, value: Tensor, scale: Float, bias: Tensor?, into out: Tensor
    ) throws {
        try base.attention(
            query: query, key: key, value: value, scale: scale, bias: bias, into: out)
    }

    public func convolution(
        _ x: Tensor, weight: Tensor, bias: Tensor?, geometry: ConvolutionGeometry,
        residual: Tensor?, into y: Tensor
    ) throws {
        try base.convolution(
            x, weight: weight, bias: bias, geometry: geometry, residual: residual, into: y)
    }

    public func rotate(_ x: Tensor, by table: Tensor, into y: Tensor) throws {
        try base.rotate(x, by: table, into: y)
    }

    public func channelNorm(
        _ x: Tensor, weight: Tensor, activation: Activation, into y: Tensor
    ) throws {
        try base.channelNorm(x, weight: weight, activation: activation, into: y)
    }

    public func add(
        _ x: Tensor, _ addend: Tensor, gate: Tensor?, mask: Tensor?, alpha: Float, into y: Tensor
    ) throws {
        try base.add(x, addend, gate: gate, mask: mask, alpha: alpha, into: y)
    }

    public func affine(_ x: Tensor, scale: Tensor, shift: Tensor, into y: Tensor) throws {
        try base.affine(x, scale: scale, shift: shift, into: y)
    }

    public func permute(_ x: Tensor, axes: [Int], into y: Tensor) throws {
        try base.permute(x, axes: axes, into: y)
    }

    public func gather(_ table: Tensor, rows indices: Tensor, into y: Tensor) throws {
        try base.gather(table, rows: indices, into: y)
    }

    public func upsample(_ x: Tensor, into y: Tensor) throws { try base.upsample(x, into: y) }

    public func quantizePixels(_ x: Tensor, into y: Tensor) throws {
        try base.quantizePixels(x, into: y)
    }
}
