import Glibc

/// Which file or folder something is, whatever it is called.
package struct FileIdentity: Hashable {
    private let device: dev_t
    private let number: ino_t

    /// The identity of what was examined.
    package init(_ status: stat) {
        device = status.st_dev
        number = status.st_ino
    }

    /// The identity of what a path leads to; nil if there is nothing.
    package init?(path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        self.init(status)
    }
}
