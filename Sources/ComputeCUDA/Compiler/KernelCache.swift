import Crypto
import Glibc
import Tensors

/// Compiled kernels on disk, by what they were compiled from, so that only the first run on a kind of card
/// waits for the compiler. An entry that is damaged or cannot be read is as if it were not there.
package struct KernelCache {
    /// The folder; nil to keep nothing.
    private let folder: String?

    /// The cache in a folder, which need not exist yet.
    package init(folder: String?) {
        self.folder = folder
    }

    /// The user's cache: `avatar-pipeline/kernels` in `XDG_CACHE_HOME` or `~/.cache`.
    package static var ofUser: KernelCache {
        func variable(_ name: String) -> String? {
            getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
        }
        let base = variable("XDG_CACHE_HOME") ?? variable("HOME").map { "\($0)/.cache" }
        return KernelCache(folder: base.map { "\($0)/avatar-pipeline/kernels" })
    }

    /// The name under which something compiled from all these parts is kept.
    package static func key(_ parts: [String]) -> String {
        var hash = SHA256()
        for part in parts {
            // The length in front tells ("ab", "c") from ("a", "bc").
            hash.update(data: Array("\(part.utf8.count) \(part)".utf8))
        }
        return hexadecimal(hash.finalize())
    }

    /// What is kept under a key.
    package func image(of key: String) -> [UInt8]? {
        guard let folder, let file = try? MappedFile(path: "\(folder)/\(key)"),
            file.bytes.count > SHA256.byteCount
        else { return nil }
        let image = Array(file.bytes[SHA256.byteCount...])
        guard SHA256.hash(data: image).elementsEqual(file.bytes[..<SHA256.byteCount]) else {
            return nil
        }
        return image
    }

    /// Keeps an image under a key. A folder that cannot be written costs time in the next run, nothing else.
    package func keep(_ image: [UInt8], as key: String) {
        guard let folder else { return }
        makeFolders(folder)
        let partial = "\(folder)/\(key).\(getpid()).partial"
        guard let file = fopen(partial, "w") else { return }
        let bytes = Array(SHA256.hash(data: image)) + image
        let written = fwrite(bytes, 1, bytes.count, file)
        guard fclose(file) == 0, written == bytes.count,
            rename(partial, "\(folder)/\(key)") == 0
        else {
            unlink(partial)
            return
        }
    }

    private static func hexadecimal(_ digest: SHA256.Digest) -> String {
        digest.map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0\(digits)" : digits
        }.joined()
    }

    private func makeFolders(_ path: String) {
        var made = ""
        for part in path.split(separator: "/") {
            made += "/\(part)"
            mkdir(made, 0o700)
        }
    }
}
