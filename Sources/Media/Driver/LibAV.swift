import CLibAV

/// The one gate for libav's statuses and allocations.
enum LibAV {
    /// Throws `MediaError` unless `status`, a libav call's, is non-negative; returns it otherwise.
    @discardableResult
    static func check(
        _ status: Int32, _ action: String, _ path: String
    ) throws(MediaError) -> Int32 {
        guard status >= 0 else { throw MediaError(action, path, text(of: status)) }
        return status
    }

    /// Throws `MediaError` unless an allocation, libav's, succeeded; returns it otherwise.
    static func allocated<Pointee>(
        _ pointer: UnsafeMutablePointer<Pointee>?, _ action: String, _ path: String
    ) throws(MediaError) -> UnsafeMutablePointer<Pointee> {
        guard let pointer else { throw MediaError(action, path, text(of: clibav_no_memory)) }
        return pointer
    }

    /// libav's words for a status.
    static func text(of status: Int32) -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        av_strerror(status, &buffer, buffer.count)
        let bytes = buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The URL of a local file: with a scheme, so that no path is taken for another protocol.
    static func url(of path: String) -> String { "file:" + path }
}
