import CNVIDIA
import Compute

/// A graph with the engine that computes it.
final class ExecutionPlan {
    /// Bytes that the engine works in.
    let workspaceBytes: Int
    private let library: CUDNN
    private let plan: Descriptor

    /// Compiles the engine; throws if it does not take the graph after all.
    init(_ engine: EngineConfiguration, of library: CUDNN) throws {
        self.library = library
        plan = try Descriptor(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR, of: library) {
            try $0.setHandle(CUDNN_ATTR_EXECUTION_PLAN_HANDLE)
            try $0.set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, [engine.descriptor])
        }
        workspaceBytes = try Self.workspace(of: plan)
    }

    /// A plan that was kept by `image`; throws if this cuDNN or this card cannot use it.
    init(image: [UInt8], of library: CUDNN) throws {
        self.library = library
        plan = try Descriptor(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR, of: library) {
            try $0.setHandle(CUDNN_ATTR_EXECUTION_PLAN_HANDLE)
            try $0.set(CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION, CUDNN_TYPE_CHAR, image)
        }
        workspaceBytes = try Self.workspace(of: plan)
    }

    /// The plan with its compiled kernel, as text.
    func image() throws -> [UInt8] {
        let count = try plan.count(
            CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION, CUDNN_TYPE_CHAR)
        guard count > 0 else { return [] }
        return try plan.values(
            CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION, CUDNN_TYPE_CHAR, capacity: count,
            empty: UInt8(0))
    }

    private static func workspace(of plan: Descriptor) throws -> Int {
        let sizes: [Int64] = try plan.values(
            CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64, capacity: 1, empty: 0)
        return Int(sizes.first ?? 0)
    }

    /// A tensor of the graph and what it is in one call.
    struct Operand {
        fileprivate let node: OperationGraph.Node
        fileprivate let address: UInt64
        private let tensor: Tensor?

        /// A tensor on the card.
        init(node: OperationGraph.Node, tensor: Tensor) {
            self.node = node
            self.tensor = tensor
            address = tensor.address
        }

        /// A number on the host, which stays where it is during the call.
        init(node: OperationGraph.Node, number: UnsafeRawBufferPointer) {
            self.node = node
            tensor = nil
            address = UInt64(UInt(bitPattern: number.baseAddress))
        }
    }

    /// Puts the plan into the stream.
    func run(_ operands: [Operand], on device: CUDADevice) throws {
        try device.context.activate()
        let workspace = try workspaceBytes > 0 ? device.allocateBytes(workspaceBytes) : nil
        let pack = try Descriptor(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR, of: library) {
            try $0.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, operands.map(\.node.identifier))
            try $0.set(
                CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, operands.map(\.address))
            try $0.set(
                CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, [workspace?.address ?? 0])
        }
        // What is dropped before the plan is in the stream could become its workspace.
        try withExtendedLifetime((operands, workspace)) { try library.execute(plan, pack) }
    }
}

/// Plans on disk beside compiled kernels: those for attention are compiled when they are made, which takes about a
/// second each.
struct PlanStore {
    private let cache: KernelCache
    /// What a plan is good for: the library's version and the card.
    private let maker: [String]

    /// The user's plans for a card.
    init(version: Int, context: Context, cache: KernelCache = .ofUser) {
        self.cache = cache
        maker = [
            "cuDNN \(version)", context.cardName, "\(context.architecture)",
            "\(context.multiprocessors)",
        ]
    }

    /// The plan kept for a problem, or else the one that `make` makes, which is kept.
    ///
    /// Every process would make the same plan, so that it does not matter for the results which of them did.
    func plan<Problem>(
        for problem: Problem, choice: String?, of library: CUDNN,
        make: () throws -> ExecutionPlan?
    ) throws -> ExecutionPlan? {
        let key = KernelCache.key(
            maker + ["\(Problem.self) \(problem)", choice ?? ""])
        if let image = cache.image(of: key),
            let plan = try? ExecutionPlan(image: image, of: library)
        {
            return plan
        }
        guard let plan = try make() else { return nil }
        if let image = try? plan.image(), !image.isEmpty { cache.keep(image, as: key) }
        return plan
    }
}
