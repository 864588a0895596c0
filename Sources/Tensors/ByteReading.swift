import Glibc

/// Owns mapped bytes that can be copied without touching them where they are mapped: what is read once needs no pages of this
/// process then, whose coming and going takes longer than the copy.
public protocol ByteReading: AnyObject {
    /// Copies `source`, part of its own bytes, to memory of at least as many. May be called by several threads at once.
    func read(
        _ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer
    ) throws(SystemError)
}

extension TensorView {
    /// Copies bytes of the view, counted from its first, to memory of at least as many. May be called by several threads at once.
    public func read(
        _ range: Range<Int>, into target: UnsafeMutableRawBufferPointer
    ) throws(SystemError) {
        precondition(target.count >= range.count)
        let source = UnsafeRawBufferPointer(rebasing: bytes[range])
        guard let owner = owner as? any ByteReading else {
            return target.copyMemory(from: source)
        }
        try owner.read(source, into: target)
    }
}

/// Reads bytes of an open file, whose path is named in errors; throws if the file has become shorter.
package func read(
    _ descriptor: Int32, at offset: Int, count: Int, into target: UnsafeMutableRawBufferPointer,
    path: String
) throws(SystemError) {
    var done = 0
    while done < count {
        let found = pread(
            descriptor, target.baseAddress! + done, count - done, off_t(offset + done))
        if found < 0, errno == EINTR { continue }
        try SystemError.check(found, "read", path)
        guard found > 0 else { throw SystemError("read", path, code: ENODATA) }
        done += found
    }
}
