/// A device whose memory is apart from the host's: copies over the link between them run beside the operations, and in
/// each direction in the order in which they were asked for.
public protocol LinkedDevice: Device {
    /// Memory of the host that copies reach at the link's full speed.
    func allocateOnHost(_ byteCount: Int) throws -> any HostBuffer

    /// Begins to copy bytes of the host to a contiguous tensor as soon as all of `marks` have passed. The mark that it
    /// returns passes when they are there; until then the bytes must stay as they are.
    func fetch(
        _ bytes: UnsafeRawBufferPointer, into tensor: Tensor, after marks: [any Mark]
    ) throws -> any Mark

    /// Begins to copy a contiguous tensor to the host as soon as all of `marks` have passed. The mark that it returns passes
    /// when its bytes are there.
    func store(
        _ tensor: Tensor, into bytes: UnsafeMutableRawBufferPointer, after marks: [any Mark]
    ) throws -> any Mark

    /// A mark behind all operations asked for so far, which passes when they are done.
    func mark() throws -> any Mark

    /// Makes operations that are asked for from now on wait until a mark has passed.
    func wait(for mark: any Mark) throws
}

/// A place in the order of a device's work.
public protocol Mark: AnyObject {}

/// Memory of the host for copies; released when it is dropped.
public protocol HostBuffer: AnyObject {
    /// The bytes.
    var bytes: UnsafeMutableRawBufferPointer { get }
}

extension Device {
    /// The device behind this one whose memory is apart, as copies and marks see it. Throws `UnsupportedOperation` if there
    /// is none.
    public func linked() throws -> any LinkedDevice {
        if let profiling = self as? ProfilingDevice { return try profiling.device.linked() }
        guard let linked = self as? any LinkedDevice else {
            throw UnsupportedOperation(
                device: name, operation: "memory that is streamed from the host")
        }
        return linked
    }
}
