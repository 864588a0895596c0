import Artifacts
import Glibc

/// How a stage reads streams and treats what is there.
public struct StreamManner: Sendable {
    /// Wait for blocks that are still being written.
    public var follow = false
    /// Delete input blocks that no restart needs.
    public var consume = false
    /// Wait while so many blocks of the output are on the disk, until a reader consumes some.
    public var mostBlocks: Int?
    /// Replace output that was made otherwise.
    public var overwrite = false

    /// The careful manner: wait for nothing, delete nothing, replace nothing.
    public init() {}
}

extension StreamManner {
    /// Opens a stream of latents, of which these blocks will be asked for. The listener hears what is waited for while nobody
    /// writes it. Throws what `StreamReader` and the listener throw.
    func latents(
        at path: String, needs: Range<Int>? = nil, _ listener: @escaping StageListener
    ) throws -> StreamReader {
        try StreamReader(
            path: path, kind: .latents, following: follow ? .starting : .no, needs: needs,
            noteWaiting: { try listener(.waiting($0)) })
    }

    /// Opens the output, or a range of its blocks, for writing, and says what to do where that is refused.
    ///
    /// Throws `StageError`, or what `StreamWriter` throws.
    func writer(
        to path: String, _ description: StreamDescription, range: Range<Int>? = nil
    ) throws -> StreamWriter {
        var status = stat()
        if stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFDIR {
            throw StageError("cannot create '\(path)': it is a file, a stream needs a folder")
        }
        do {
            let writer = try StreamWriter(
                path: path, description: description, range: range, overwrite: overwrite)
            if let mostBlocks { try writer.checkRoom(for: mostBlocks) }
            return writer
        } catch let error as ArtifactError where error.action == "continue" && !overwrite {
            throw StageError("\(error); --overwrite starts anew")
        }
    }

    /// Waits until the output may grow by a block. Throws what the listener and the disk throw.
    func awaitRoom(in writer: StreamWriter, _ listener: StageListener) throws {
        guard let mostBlocks else { return }
        try writer.awaitRoom(for: mostBlocks) {
            try listener(.progress("waiting for a reader to consume blocks"))
        }
    }
}
