import COneDNN
import Compute
import Tensors

/// A call of oneDNN that failed.
public struct OneDNNError: Error, CustomStringConvertible {
    /// What was to be done.
    public let operation: String
    /// oneDNN's status.
    public let status: UInt32

    public var description: String { "oneDNN cannot \(operation): status \(status)" }

    /// Throws unless the status is success.
    static func check(_ status: dnnl_status_t, _ operation: @autoclosure () -> String) throws {
        guard status == dnnl_success else {
            throw OneDNNError(operation: operation(), status: UInt32(status.rawValue))
        }
    }
}

/// A library that computing on the processor needs, and that cannot be opened.
public struct MissingCPULibrary: Error, CustomStringConvertible {
    /// What was to be opened.
    public let name: String
    /// What the dynamic linker said.
    public let reason: String

    public var description: String { "cannot load \(name) to compute on the CPU: \(reason)" }

    /// Throws unless there is no reason.
    static func check(_ reason: UnsafePointer<CChar>?, _ name: String) throws {
        guard let reason else { return }
        throw MissingCPULibrary(name: name, reason: String(cString: reason))
    }
}

/// oneDNN's engine and stream, and the primitives made so far.
final class OneDNN {
    let engine: dnnl_engine_t
    let stream: dnnl_stream_t
    private var primitives: [PrimitiveKey: (primitive: Primitive, lastUse: Int)] = [:]
    private var uses = 0
    private var layouts: [Layout] = []
    /// Primitives that are kept. Making one takes up to milliseconds.
    private let capacity = 1024

    /// The CPU's engine.
    init() throws {
        var engine: dnnl_engine_t?
        try OneDNNError.check(dnnl_engine_create(&engine, dnnl_cpu, 0), "open the CPU engine")
        var stream: dnnl_stream_t?
        try OneDNNError.check(
            dnnl_stream_create(&stream, engine, UInt32(dnnl_stream_default_flags.rawValue)),
            "open a stream")
        guard let engine, let stream else { preconditionFailure("oneDNN gave no engine") }
        self.engine = engine
        self.stream = stream
    }

    deinit {
        dnnl_stream_destroy(stream)
        dnnl_engine_destroy(engine)
    }

    /// The primitive of this key, made by `make` where it is asked for first.
    func primitive(_ key: PrimitiveKey, _ make: () throws -> Primitive) rethrows -> Primitive {
        uses += 1
        if let known = primitives[key] {
            primitives[key]?.lastUse = uses
            return known.primitive
        }
        let made = try make()
        if primitives.count >= capacity,
            let oldest = primitives.min(by: { $0.value.lastUse < $1.value.lastUse })
        {
            primitives[oldest.key] = nil
        }
        primitives[key] = (made, uses)
        return made
    }

    /// The one object for all layouts equal to this one, so that objects may be compared instead.
    func shared(_ layout: Layout) -> Layout {
        if let known = layouts.first(where: { $0 == layout }) { return known }
        layouts.append(layout)
        return layout
    }
}

/// What tells primitives apart: extents, strides, types and attributes.
struct PrimitiveKey: Hashable {
    /// The kind of primitive.
    let kind: String
    /// Extents, strides and flags, in the kind's own order.
    let numbers: [Int]
    /// Types of the operands.
    let types: [DataType?]
    /// The layout of a packed weight, as shared by `OneDNN`.
    let packing: ObjectIdentifier?
    /// The function of each element of the result.
    var activation = Activation.identity
}

/// Extents, strides or blocks, and type of a tensor, in oneDNN's terms.
final class Layout: Equatable {
    let descriptor: onednn_layout

    /// A strided layout, or one that a primitive may choose.
    init(_ extents: [Int], _ dataType: DataType, strides: [Int]?) throws {
        var made: onednn_layout?
        let extents64 = extents.map(Int64.init)
        let status =
            if let strides {
                onednn_layout_create(
                    &made, Int32(extents.count), extents64, dataType.oneDNN,
                    strides.map(Int64.init))
            } else {
                onednn_layout_create(
                    &made, Int32(extents.count), extents64, dataType.oneDNN, nil)
            }
        try OneDNNError.check(status, "describe \(dataType)\(extents)")
        guard let made else { preconditionFailure("oneDNN gave no layout") }
        descriptor = made
    }

    /// A copy of a layout that belongs to a primitive.
    init(copying descriptor: onednn_layout) throws {
        var made: onednn_layout?
        try OneDNNError.check(onednn_layout_clone(&made, descriptor), "copy a layout")
        guard let made else { preconditionFailure("oneDNN gave no layout") }
        self.descriptor = made
    }

    deinit { onednn_layout_destroy(descriptor) }

    /// Bytes of a tensor of this layout.
    var byteCount: Int { dnnl_memory_desc_get_size(descriptor) }

    static func == (a: Layout, b: Layout) -> Bool {
        dnnl_memory_desc_equal(a.descriptor, b.descriptor) != 0
    }
}

extension DataType {
    /// The type in oneDNN's terms. Traps on types that no operation takes.
    var oneDNN: dnnl_data_type_t {
        switch self {
        case .float32: dnnl_f32
        case .bfloat16: dnnl_bf16
        case .float16: dnnl_f16
        case .int8: dnnl_s8
        default: preconditionFailure("oneDNN is not used with \(self)")
        }
    }
}
