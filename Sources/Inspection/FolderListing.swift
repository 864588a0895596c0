import Artifacts
import Glibc
import Tensors

/// Finds what can be inspected in a folder and the folders inside it.
enum FolderListing {
    /// Deepest folder that is looked into.
    private static let depthLimit = 4
    /// Endings of what `openCheckpoint` reads. An index stands for its shards.
    private static let endings = [".safetensors", ".index.json", ".pth", ".pt", ".bin"]

    /// The paths of files and streams below a folder, relative to it and sorted; hidden ones are left out.
    ///
    /// Throws `SystemError` if a folder cannot be read.
    static func subjects(in folder: String) throws -> [String] {
        try subjects(in: folder, depth: 0)
    }

    private static func subjects(in folder: String, depth: Int) throws -> [String] {
        let names = try names(in: folder)
        var found: [String] = []
        for name in names.sorted() where !isShard(name, among: names) {
            let path = join(folder, name)
            var status = stat()
            guard stat(path, &status) == 0 else { continue }
            if status.st_mode & S_IFMT == S_IFDIR {
                if StreamFolder(path: path).isStream {
                    found.append(name)
                } else if depth < depthLimit, !isLink(path) {
                    found += try subjects(in: path, depth: depth + 1).map { "\(name)/\($0)" }
                }
            } else if endings.contains(where: name.hasSuffix) {
                found.append(name)
            }
        }
        return found
    }

    /// Whether a path is a link, which leads elsewhere: a work folder's to the weights.
    private static func isLink(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
    }

    /// Whether a file is listed in an index beside it, by the names that Hugging Face's libraries
    /// give: `model.safetensors.index.json` and `model-00001-of-00002.safetensors`.
    private static func isShard(_ name: String, among names: Set<String>) -> Bool {
        let ending = ".safetensors"
        guard name.hasSuffix(ending) else { return false }
        let words = name.dropLast(ending.count).split(
            separator: "-", omittingEmptySubsequences: false)
        guard words.count >= 4, words[words.count - 2] == "of",
            [words[words.count - 3], words[words.count - 1]].allSatisfy({ Int($0) != nil })
        else { return false }
        let stem = words.dropLast(3).joined(separator: "-")
        return names.contains("\(stem)\(ending).index.json")
    }

    private static func names(in path: String) throws(SystemError) -> Set<String> {
        guard let folder = opendir(path) else { throw SystemError("open", path) }
        defer { closedir(folder) }
        var names: Set<String> = []
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if !name.hasPrefix(".") { names.insert(name) }
        }
        return names
    }
}
