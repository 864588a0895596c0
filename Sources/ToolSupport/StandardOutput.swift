import ArgumentParser
import Glibc
import Tensors

/// The process's standard output, unbuffered: data for whoever reads it.
public enum StandardOutput {
    /// What shells report for a process that a closed pipe ended, and this project's exit code for it.
    public static let closedPipe = ExitCode(128 + SIGPIPE)

    /// Writes bytes at once.
    ///
    /// Throws `closedPipe` if nobody reads any more, as behind `| head`, and `SystemError` if the
    /// bytes cannot be written for another reason.
    public static func write(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let buffer = UnsafeRawBufferPointer(rebasing: rest)
            let count = Glibc.write(STDOUT_FILENO, buffer.baseAddress, buffer.count)
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EPIPE { throw closedPipe }
            guard count > 0 else { throw SystemError("write", "standard output") }
            rest = rest.dropFirst(count)
        }
    }

    /// Writes text at once. Throws as `write(_:)` of bytes does.
    public static func write(_ text: String) throws {
        var text = text
        try text.withUTF8 { try write(UnsafeRawBufferPointer($0)) }
    }
}

/// Makes sure that descriptors 0, 1 and 2 are taken, so that no file of ours gets one of them in a
/// process that was started with it closed. What was closed stays unusable.
func reserveStandardDescriptors() {
    for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO]
    where fcntl(descriptor, F_GETFD) == -1 && errno == EBADF {
        // The lowest free descriptor is this one, since those below it are taken by now.
        _ = open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY)
    }
}
