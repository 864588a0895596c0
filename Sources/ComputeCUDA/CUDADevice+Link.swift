import Compute
import Tensors

extension PinnedBuffer: HostBuffer {}
extension Event: Mark {}

extension CUDADevice: LinkedDevice {
    public func allocateOnHost(_ byteCount: Int) throws -> any HostBuffer {
        try context.activate()
        return try PinnedBuffer(context, byteCount: max(1, byteCount))
    }

    public func fetch(
        _ bytes: UnsafeRawBufferPointer, into tensor: Tensor, after marks: [any Mark]
    ) throws -> any Mark {
        precondition(bytes.count == tensor.byteCount && tensor.isContiguous)
        return try copy(in: link().fetching, after: marks) { stream in
            guard let source = bytes.baseAddress, bytes.count > 0 else { return }
            try driver.check(
                driver.copyToDevice(tensor.address, source, bytes.count, stream.handle),
                "cuMemcpyHtoDAsync")
        }
    }

    public func store(
        _ tensor: Tensor, into bytes: UnsafeMutableRawBufferPointer, after marks: [any Mark]
    ) throws -> any Mark {
        precondition(bytes.count == tensor.byteCount && tensor.isContiguous)
        return try copy(in: link().storing, after: marks) { stream in
            guard let target = bytes.baseAddress, bytes.count > 0 else { return }
            try driver.check(
                driver.copyToHost(target, tensor.address, bytes.count, stream.handle),
                "cuMemcpyDtoHAsync")
        }
    }

    public func mark() throws -> any Mark {
        try context.activate()
        return try mark(in: stream)
    }

    public func wait(for mark: any Mark) throws {
        try context.activate()
        try stream.wait(for: Self.event(mark))
    }

    /// Puts a copy into a queue behind marks of others, and a mark behind it.
    private func copy(
        in stream: Stream, after marks: [any Mark], _ copy: (Stream) throws -> Void
    ) throws -> any Mark {
        try context.activate()
        for mark in marks { try stream.wait(for: Self.event(mark)) }
        try copy(stream)
        return try mark(in: stream)
    }

    private func mark(in stream: Stream) throws -> Event {
        let event = try Event(context)
        try event.record(in: stream)
        return event
    }

    private static func event(_ mark: any Mark) -> Event {
        guard let event = mark as? Event else { preconditionFailure("a mark of another device") }
        return event
    }
}
