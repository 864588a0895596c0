import Compute
import Tensors

/// A place in the checkpoint's tree of names, from which a model's parts take their parameters.
public struct WeightScope {
    private let prefix: String
    private let source: any WeightSource
    private let collection: ParameterCollection

    /// The root of a model's names.
    public init(_ source: any WeightSource) {
        self.init(prefix: "", source: source, collection: ParameterCollection())
    }

    private init(prefix: String, source: any WeightSource, collection: ParameterCollection) {
        self.prefix = prefix
        self.source = source
        self.collection = collection
    }

    /// All parameters taken so far below the root, in order.
    public var parameters: [Parameter] { collection.parameters }

    /// The names below `name`.
    public func scope(_ name: String) -> WeightScope {
        WeightScope(prefix: path(name) + ".", source: source, collection: collection)
    }

    /// The full path of a name here.
    public func path(_ name: String) -> String { prefix + name }

    /// What to call the checkpoint in messages.
    var sourcePath: String { source.path }

    /// The shape that the checkpoint gives a name here, nil if it lacks it.
    public func shape(of name: String) -> Shape? { source.shape(of: path(name)) }

    /// A parameter of float32 elements: norms, biases, modulation.
    public func parameter(_ name: String, _ shape: Shape) -> Parameter {
        parameter(stacking: [name], shape, for: .elements, as: .fixed(.float32))
    }

    /// A parameter for the given use, of the activations' type unless said; on the device it has
    /// the shape `viewedAs` of as many elements, where that is not the checkpoint's.
    public func parameter(
        _ name: String, _ shape: Shape, for use: TensorUse, as type: ParameterType = .activations,
        viewedAs view: Shape? = nil
    ) -> Parameter {
        parameter(stacking: [name], shape, for: use, as: type, viewedAs: view)
    }

    /// A parameter whose parts, each of shape `part`, are stacked along the outermost axis.
    public func parameter(
        stacking names: [String], _ part: Shape, for use: TensorUse,
        as type: ParameterType = .activations, viewedAs view: Shape? = nil
    ) -> Parameter {
        precondition(view == nil || view?.elementCount == part.elementCount)
        for name in names { source.claim(path(name), shape: part) }
        let parameter = Parameter(
            paths: names.map(path), part: view ?? part, use: use, type: type,
            source: source)
        collection.parameters.append(parameter)
        return parameter
    }
}

/// The parameters taken through any scope of one model.
private final class ParameterCollection {
    var parameters: [Parameter] = []
}

extension [Parameter] {
    /// Brings every parameter into the device's memory, reporting after each.
    public func load(on device: any Device, monitor: Monitor = { _ in }) throws {
        for (index, parameter) in enumerated() {
            try device.holding(.long) { try parameter.load(on: device) }
            try monitor(Progress("weights", completed: index + 1, total: count))
        }
    }

    /// Lets go of the device's memory of every parameter.
    public func unload() {
        for parameter in self { parameter.unload() }
    }

    /// Does what needs every parameter only now: loads those that are not, and lets go of all behind it.
    public func whileLoaded<Result>(
        on device: any Device, _ work: () throws -> Result
    ) throws -> Result {
        defer { unload() }
        for parameter in self { try parameter.load(on: device) }
        return try work()
    }
}
