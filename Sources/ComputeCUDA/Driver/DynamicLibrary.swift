import CNVIDIA
import Glibc

/// A shared library that was opened by name at run time. It stays open as long as the process lives.
struct DynamicLibrary: @unchecked Sendable {
    /// The name or path under which it was found.
    let path: String
    private let handle: UnsafeMutableRawPointer

    /// The folders that the variable `CUDA_LIBRARY_PATH` names: what is there is preferred.
    private static var namedFolders: [String] {
        let variable = getenv("CUDA_LIBRARY_PATH").map { String(cString: $0) } ?? ""
        return variable.split(separator: ":").map(String.init)
    }

    /// Where Debian, NVIDIA's installers and containers put CUDA's libraries.
    private static let usualFolders = [
        "/usr/local/cuda/lib64", "/usr/local/nvidia/lib64", "/usr/lib/x86_64-linux-gnu",
        "/usr/lib/aarch64-linux-gnu",
    ]

    /// Opens the first of `names` that there is in folders that were named, then the dynamic linker's, then the usual ones; throws
    /// `MissingLibrary` if there is none.
    init(_ names: [String], purpose: String) throws {
        var reason = ""
        func paths(in folders: [String]) -> [String] {
            folders.flatMap { folder in names.map { "\(folder)/\($0)" } }
        }
        let folders = (named: Self.namedFolders, usual: Self.usualFolders)
        for path in paths(in: folders.named) + names + paths(in: folders.usual) {
            if let handle = dlopen(path, RTLD_NOW | RTLD_LOCAL) {
                self.path = path
                self.handle = handle
                return
            }
            // The first message that is not about a file that is not there says most.
            let message = dlerror().map { String(cString: $0) } ?? ""
            if reason.isEmpty || reason.contains("No such file") { reason = message }
        }
        throw MissingLibrary(
            names: names, purpose: purpose, folders: folders.named + folders.usual, reason: reason)
    }

    /// The version that a function of that name tells; throws `MissingSymbol` if the library has none.
    func version(by name: String) throws -> Int {
        let getVersion: cudnnGetVersion_t = try symbol(name)
        return getVersion()
    }

    /// The function of that name; throws `MissingSymbol` if the library has none.
    func symbol<Function>(_ name: String) throws -> Function {
        guard let address = dlsym(handle, name) else {
            throw MissingSymbol(name: name, library: path)
        }
        return unsafeBitCast(address, to: Function.self)
    }
}

/// A shared library that CUDA needs and that is nowhere.
public struct MissingLibrary: Error, CustomStringConvertible {
    /// The names that were tried.
    public let names: [String]
    /// What it is for.
    public let purpose: String
    /// Where it was searched, besides the dynamic linker's folders.
    public let folders: [String]
    /// What the dynamic linker said.
    public let reason: String

    public var description: String {
        "cannot load \(purpose): none of \(names.joined(separator: ", ")) is in the linker's folders or"
            + " \(folders.joined(separator: ", ")) (\(reason)); name its folder in CUDA_LIBRARY_PATH"
    }
}

/// A library that lacks a function, mostly because it is too old.
public struct MissingSymbol: Error, CustomStringConvertible {
    /// The function.
    public let name: String
    /// Where it was searched.
    public let library: String

    public var description: String { "'\(library)' is too old: it has no function \(name)" }
}
