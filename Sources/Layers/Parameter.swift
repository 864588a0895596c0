import Compute
import Tensors

/// A weight of a model: one or more tensors of the checkpoint, stacked along the outermost axis, that
/// are or can be brought into a device's memory.
public final class Parameter {
    /// The checkpoint paths of the parts.
    public let paths: [String]
    /// The extents of the whole.
    public let shape: Shape
    /// What operations take it.
    public let use: TensorUse
    /// The type on the device.
    public let type: ParameterType

    /// The shape of each part on the device, where it is not the checkpoint's.
    private let part: Shape
    private let source: any WeightSource
    private var resident: Tensor?

    init(
        paths: [String], part: Shape, use: TensorUse, type: ParameterType,
        source: any WeightSource
    ) {
        self.paths = paths
        self.part = part
        shape = Shape([part[0] * paths.count] + part.dimensions.dropFirst())
        self.use = use
        self.type = type
        self.source = source
    }

    /// The weight in the device's memory. Traps unless loaded.
    public var tensor: Tensor {
        guard let resident else { preconditionFailure("'\(paths[0])' is used before it is loaded") }
        return resident
    }

    /// Brings the weight into the device's memory, unless it is there.
    public func load(on device: any Device) throws {
        guard resident == nil else { return }
        let dataType = dataType(on: device)
        if let stored = try scaledViews(), stored.allSatisfy({ $0.numbers.dataType == dataType }) {
            resident = try device.load(stored.map(\.numbers), scales: stored.map(\.scales))
        } else {
            resident = try device.load(views(), as: dataType, for: use)
        }
    }

    /// The type of the elements on a device.
    public func dataType(on device: any Device) -> DataType {
        type.dataType(activations: device.activationType, matrices: device.matrixType)
    }

    /// The type of the numbers as they are stored, if all parts have scales.
    public func storedNarrowType() throws -> DataType? {
        try scaledViews()?.first?.numbers.dataType
    }

    /// The parts as they are stored, if all have scales.
    private func scaledViews() throws -> [ScaledView]? {
        let views = try paths.compactMap { try source.scaledView(of: $0) }
        return views.count == paths.count ? views : nil
    }

    /// Takes a tensor that something else brought into the device's memory for the weight.
    func place(on tensor: Tensor) {
        precondition(tensor.shape == shape)
        resident = tensor
    }

    /// Lets go of the device's memory.
    public func unload() { resident = nil }

    /// The parts on the host, where they lie, for what is looked up or computed there.
    public func views() throws -> [TensorView] {
        try paths.map { try source.view(of: $0).reshaped(part) }
    }

    /// The elements on the host as float32, in row-major order.
    public func floats() throws -> [Float] {
        try views().flatMap { $0.floats() }
    }
}

/// The type that a parameter has on a device.
public enum ParameterType: Hashable, Sendable {
    /// This one, on every device.
    case fixed(DataType)
    /// The device's type of activations.
    case activations
    /// The device's type of large matrices.
    case matrix

    /// The type on a device with these types of activations and of large matrices.
    public func dataType(activations: DataType, matrices: DataType) -> DataType {
        switch self {
        case .fixed(let dataType): dataType
        case .activations: activations
        case .matrix: matrices
        }
    }
}
