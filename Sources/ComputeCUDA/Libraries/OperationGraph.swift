import CNVIDIA
import Tensors

/// A graph of cuDNN's operations being built. Its tensors are numbered; those that are not virtual get
/// addresses when a plan runs.
final class OperationGraph {
    private let library: CUDNN
    private var operations: [Descriptor] = []
    private var tensorCount = 0

    /// A tensor of the graph.
    struct Node {
        /// Its number, under which a plan takes its address.
        let identifier: Int
        let descriptor: Descriptor
    }

    /// What kind of memory a tensor has.
    enum Place {
        /// On the card.
        case device
        /// A single number on the host, read when the plan runs.
        case host
        /// None: it is passed from one operation to another.
        case virtual
    }

    /// An empty graph.
    init(_ library: CUDNN) {
        self.library = library
    }

    /// A tensor of these extents and elements from one index to the next.
    func tensor(
        _ extents: [Int], strides: [Int], _ dataType: DataType, _ place: Place = .device
    ) throws -> Node {
        tensorCount += 1
        let identifier = tensorCount
        let descriptor = try Descriptor(CUDNN_BACKEND_TENSOR_DESCRIPTOR, of: library) {
            try $0.set(
                CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, choice: dataType.cuDNNType)
            try $0.set(CUDNN_ATTR_TENSOR_DIMENSIONS, extents)
            try $0.set(CUDNN_ATTR_TENSOR_STRIDES, strides)
            try $0.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, [identifier])
            try $0.set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, [Self.alignment])
            switch place {
            case .device: break
            case .host: try $0.setTrue(CUDNN_ATTR_TENSOR_IS_BY_VALUE)
            case .virtual: try $0.setTrue(CUDNN_ATTR_TENSOR_IS_VIRTUAL)
            }
        }
        return Node(identifier: identifier, descriptor: descriptor)
    }

    /// Bytes of which every tensor's address is a multiple.
    static let alignment = 16

    /// Adds an operation of one of cuDNN's kinds.
    func add(_ kind: Int, attributes: (Descriptor) throws -> Void) throws {
        operations.append(try Descriptor(kind, of: library, attributes: attributes))
    }

    /// Adds y = a op b, element by element and in float32; extents of 1 stand for all indices.
    func pointwise(_ mode: Int, _ a: Node, _ b: Node, into y: Node) throws {
        let function = try Descriptor(CUDNN_BACKEND_POINTWISE_DESCRIPTOR, of: library) {
            try $0.set(CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, choice: mode)
            try $0.set(
                CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_TYPE_DATA_TYPE, choice: CUDNN_DATA_FLOAT)
        }
        try add(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR) {
            try $0.set(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, [function])
            try $0.set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, [a.descriptor])
            try $0.set(CUDNN_ATTR_OPERATION_POINTWISE_BDESC, [b.descriptor])
            try $0.set(CUDNN_ATTR_OPERATION_POINTWISE_YDESC, [y.descriptor])
        }
    }

    /// The plan of the engine of that name, or else of the first that takes the graph, in the order of cuDNN's
    /// expectation; nil if none does.
    func plan(_ manner: Manner, choice: String?) throws -> ExecutionPlan? {
        guard let graph = finished() else { return nil }
        if let name = choice.flatMap(EngineName.init),
            let engine = try? EngineConfiguration(name, for: graph, of: library),
            manner.allows(engine), let plan = try? ExecutionPlan(engine, of: library)
        {
            return plan
        }
        for mode in manner.heuristics {
            for engine in (try? engines(of: graph, mode)) ?? [] where manner.allows(engine) {
                if let plan = try? ExecutionPlan(engine, of: library) { return plan }
            }
        }
        return nil
    }

    /// All engines that may compute the graph, in the order of cuDNN's expectation.
    func engines(_ manner: Manner) -> [EngineConfiguration] {
        guard let graph = finished() else { return [] }
        return manner.heuristics.flatMap { (try? engines(of: graph, $0)) ?? [] }
            .filter(manner.allows)
    }

    /// The graph of all operations so far; nil if cuDNN refuses it.
    private func finished() -> Descriptor? {
        try? Descriptor(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR, of: library) {
            try $0.setHandle(CUDNN_ATTR_OPERATIONGRAPH_HANDLE)
            try $0.set(CUDNN_ATTR_OPERATIONGRAPH_OPS, operations)
        }
    }

    /// The configurations of engines that a heuristic proposes, best first.
    private func engines(of graph: Descriptor, _ mode: Int) throws -> [EngineConfiguration] {
        let heuristic = try Descriptor(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR, of: library) {
            try $0.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, [graph])
            try $0.set(CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, choice: mode)
        }
        let count = try heuristic.count(
            CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR)
        let configurations = try (0..<count).map { _ in
            try Descriptor(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, of: library)
        }
        guard count > 0 else { return [] }
        let found = try heuristic.copy(CUDNN_ATTR_ENGINEHEUR_RESULTS, into: configurations)
        return try configurations.prefix(found).map {
            try EngineConfiguration($0, of: library)
        }
    }

    /// Which engines may compute a graph.
    struct Manner {
        /// The type that products are made of.
        let type: DataType
        /// Whether engines count that only work, and are not fast.
        let acceptsSlow: Bool

        /// cuDNN's lists of engines, in the order in which they are tried.
        fileprivate var heuristics: [Int] {
            [CUDNN_HEUR_MODE_A] + (acceptsSlow ? [CUDNN_HEUR_MODE_FALLBACK] : [])
        }

        /// Whether an engine adds in a fixed order and in float32, and does not round float32 operands to the tensor cores'
        /// shorter forms; filtering by transforms loses some of float32's digits too.
        fileprivate func allows(_ engine: EngineConfiguration) -> Bool {
            var refused = [
                CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC,
                CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION,
            ]
            if type == .float32 {
                refused += [
                    CUDNN_NUMERICAL_NOTE_TENSOR_CORE, CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS,
                    CUDNN_NUMERICAL_NOTE_FFT, CUDNN_NUMERICAL_NOTE_WINOGRAD,
                ]
            }
            return engine.notes.isDisjoint(with: refused)
        }
    }
}

extension DataType {
    /// cuDNN's number for the type of a tensor.
    fileprivate var cuDNNType: Int {
        switch self {
        case .bfloat16: CUDNN_DATA_BFLOAT16
        default: CUDNN_DATA_FLOAT
        }
    }
}
