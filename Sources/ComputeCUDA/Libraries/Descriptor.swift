import CNVIDIA

/// One object of cuDNN's graph interface: attributes are set, then it is finalized and can be used by others.
final class Descriptor {
    /// cuDNN's pointer.
    let handle: cudnnBackendDescriptor_t
    private let library: CUDNN
    /// Descriptors that this one was given, which it may go on using.
    private var parts: [Descriptor] = []

    /// An empty object of one of cuDNN's kinds; throws where this version does not know the kind.
    init(_ kind: Int, of library: CUDNN) throws {
        self.library = library
        var handle: cudnnBackendDescriptor_t?
        try library.check(
            library.createDescriptor(Int32(kind), &handle), "cudnnBackendCreateDescriptor(\(kind))")
        guard let handle else { preconditionFailure("a descriptor without a handle") }
        self.handle = handle
    }

    /// A finished object of one of cuDNN's kinds.
    convenience init(
        _ kind: Int, of library: CUDNN, attributes: (Descriptor) throws -> Void
    ) throws {
        try self.init(kind, of: library)
        try attributes(self)
        try finalize()
    }

    deinit { _ = library.destroyDescriptor(handle) }

    /// Checks the attributes; after it they are read only.
    func finalize() throws {
        try library.check(library.finalize(handle), "cudnnBackendFinalize")
    }
}

// MARK: - Attributes

extension Descriptor {
    /// Sets an attribute to values that C stores as `Value`.
    func set<Value: BitwiseCopyable>(_ attribute: Int, _ type: Int, _ values: [Value]) throws {
        try values.withUnsafeBytes {
            try library.check(
                library.setAttribute(
                    handle, Int32(attribute), Int32(type), Int64(values.count), $0.baseAddress),
                "cudnnBackendSetAttribute(\(attribute))")
        }
    }

    /// Sets an attribute of cuDNN's numbered choices, as a data type.
    func set(_ attribute: Int, _ type: Int, choice: Int) throws {
        try set(attribute, type, [Int32(choice)])
    }

    /// Sets an attribute of 64-bit numbers.
    func set(_ attribute: Int, _ values: [Int]) throws {
        try set(attribute, CUDNN_TYPE_INT64, values.map(Int64.init))
    }

    /// Sets an attribute to yes.
    func setTrue(_ attribute: Int) throws {
        try set(attribute, CUDNN_TYPE_BOOLEAN, [true])
    }

    /// Sets an attribute to other objects, which live on with this one.
    func set(_ attribute: Int, _ descriptors: [Descriptor]) throws {
        try set(attribute, CUDNN_TYPE_BACKEND_DESCRIPTOR, descriptors.map(\.handle))
        parts += descriptors
    }

    /// Sets an attribute to the library's handle.
    func setHandle(_ attribute: Int) throws {
        try set(attribute, CUDNN_TYPE_HANDLE, [library.handle])
    }

    /// How many values an attribute has.
    func count(_ attribute: Int, _ type: Int) throws -> Int {
        var count: Int64 = 0
        try library.check(
            library.getAttribute(handle, Int32(attribute), Int32(type), 0, &count, nil),
            "cudnnBackendGetAttribute(\(attribute))")
        return Int(count)
    }

    /// The values of an attribute, at most `capacity`.
    func values<Value: BitwiseCopyable>(
        _ attribute: Int, _ type: Int, capacity: Int, empty: Value
    ) throws -> [Value] {
        var values = [Value](repeating: empty, count: capacity)
        var count: Int64 = 0
        try library.check(
            library.getAttribute(
                handle, Int32(attribute), Int32(type), Int64(capacity), &count, &values),
            "cudnnBackendGetAttribute(\(attribute))")
        return Array(values.prefix(Int(count)))
    }

    /// Fills objects of the right kind with those of an attribute, and says how many there were.
    func copy(_ attribute: Int, into descriptors: [Descriptor]) throws -> Int {
        var handles = descriptors.map { Optional($0.handle) }
        var count: Int64 = 0
        try library.check(
            library.getAttribute(
                handle, Int32(attribute), Int32(CUDNN_TYPE_BACKEND_DESCRIPTOR),
                Int64(handles.count), &count, &handles),
            "cudnnBackendGetAttribute(\(attribute))")
        return Int(count)
    }
}
