import COneDNN
import Synchronization

/// A described primitive, before it is compiled.
final class PrimitiveDescription {
    let descriptor: dnnl_primitive_desc_t

    /// Before release 3.1 oneDNN chooses the blocks of a convolution by a variable of the process
    /// (https://github.com/oneapi-src/oneDNN/commit/63374605ab4a6d365b7d2ecd19b3bf6ce242e032), and its cache of
    /// primitives keeps what it made of the choice: descriptions on two threads at once would give wrong sums.
    private static let describing = Mutex(())

    /// What `create` describes for this device's threads, with these attributes and the scratch memory the caller's.
    init(
        _ operation: @autoclosure () -> String, on device: CPUDevice, attributes: Attributes,
        _ create: (UnsafeMutablePointer<dnnl_primitive_desc_t?>, dnnl_primitive_attr_t) ->
            dnnl_status_t
    ) throws {
        var made: dnnl_primitive_desc_t?
        // Work and scratch memory are divided among the threads of the time of describing.
        device.workers.prepare()
        let status = Self.describing.withLock { _ in create(&made, attributes.descriptor) }
        try OneDNNError.check(status, operation())
        guard let made else { preconditionFailure("oneDNN gave no primitive") }
        descriptor = made
    }

    deinit { dnnl_primitive_desc_destroy(descriptor) }

    /// The implementation that will run, as in `brg:avx512_core`.
    var implementation: String {
        String(cString: onednn_primitive_implementation(descriptor))
    }

    /// Whether it is the plain loop that oneDNN has for everything without a fast implementation.
    var isSlow: Bool { implementation.hasPrefix("ref") || implementation.hasPrefix("simple") }

    /// The layout that the operand of this argument number must have.
    func layout(_ argument: Int32) throws -> Layout {
        try Layout(copying: onednn_primitive_layout(descriptor, argument))
    }
}

/// What follows a product before it is stored.
final class Attributes {
    let descriptor: dnnl_primitive_attr_t

    /// The function of each element in oneDNN's terms, then the sum with what is there, as asked for.
    init(activation: (kind: dnnl_alg_kind_t, alpha: Float)? = nil, sums: Bool = false) throws {
        var made: dnnl_primitive_attr_t?
        try OneDNNError.check(dnnl_primitive_attr_create(&made), "make attributes")
        guard let made else { preconditionFailure("oneDNN gave no attributes") }
        descriptor = made
        try OneDNNError.check(
            dnnl_primitive_attr_set_scratchpad_mode(made, dnnl_scratchpad_mode_user),
            "set the scratch memory")
        guard activation != nil || sums else { return }
        var operations: dnnl_post_ops_t?
        try OneDNNError.check(dnnl_post_ops_create(&operations), "make post-operations")
        defer { dnnl_post_ops_destroy(operations) }
        if let activation {
            try OneDNNError.check(
                onednn_append_eltwise(operations, activation.kind, activation.alpha, 0),
                "append an activation")
        }
        if sums { try OneDNNError.check(onednn_append_sum(operations), "append a sum") }
        try OneDNNError.check(
            dnnl_primitive_attr_set_post_ops(made, operations), "set post-operations")
    }

    deinit { dnnl_primitive_attr_destroy(descriptor) }
}

/// A compiled primitive with a place for each operand.
final class Primitive {
    /// Bytes that `execute` wants as scratch memory.
    let scratchBytes: Int
    private let primitive: dnnl_primitive_t
    private var arguments: [dnnl_exec_arg_t] = []

    /// Compiles a primitive; `execute` takes addresses in the order of these argument numbers.
    init(_ description: PrimitiveDescription, _ operands: [Int32], engine: dnnl_engine_t) throws {
        var made: dnnl_primitive_t?
        try OneDNNError.check(
            dnnl_primitive_create(&made, description.descriptor), "compile a primitive")
        guard let made else { preconditionFailure("oneDNN gave no primitive") }
        primitive = made
        let scratch = onednn_primitive_layout(
            description.descriptor, DNNL_ARG_SCRATCHPAD)
        scratchBytes = scratch.map { dnnl_memory_desc_get_size($0) } ?? 0
        for argument in operands + [DNNL_ARG_SCRATCHPAD] {
            var memory: dnnl_memory_t?
            try OneDNNError.check(
                dnnl_memory_create(
                    &memory, onednn_primitive_layout(description.descriptor, argument), engine,
                    nil), "make an operand")
            arguments.append(dnnl_exec_arg_t(arg: argument, memory: memory))
        }
    }

    deinit {
        for argument in arguments { dnnl_memory_destroy(argument.memory) }
        dnnl_primitive_destroy(primitive)
    }

    /// Runs on the operands at these addresses and waits.
    func execute(
        _ stream: dnnl_stream_t, _ addresses: [UnsafeMutableRawPointer],
        scratch: UnsafeMutableRawPointer?
    ) throws {
        for (index, address) in addresses.enumerated() {
            try OneDNNError.check(
                dnnl_memory_set_data_handle(arguments[index].memory, address),
                "place an operand")
        }
        try OneDNNError.check(
            dnnl_memory_set_data_handle(arguments[addresses.count].memory, scratch),
            "place the scratch memory")
        try OneDNNError.check(
            dnnl_primitive_execute(primitive, stream, Int32(arguments.count), arguments),
            "run a primitive")
        try OneDNNError.check(dnnl_stream_wait(stream), "wait for a primitive")
    }
}
