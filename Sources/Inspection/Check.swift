import Artifacts
import Checkpoints
import Tensors

/// Whether a file, a stream or a folder of them is whole and holds numbers.
public enum Check {
    /// Reads everything, calling `progress` with each path before it is read.
    ///
    /// Throws an error that names the first file that is damaged, unfinished, not what its kind asks
    /// for, or has a NaN or an infinity in a floating-point tensor.
    public static func run(on subject: Subject, progress: (String) -> Void = { _ in }) throws {
        for leaf in subject.leaves() {
            let leaf = try leaf.get()
            progress(leaf.path)
            switch leaf.form {
            case .file: try checkFile(leaf.path)
            case .stream(let folder): try check(folder, progress)
            case .folder: preconditionFailure("a folder's leaves are no folders")
            }
        }
    }

    private static func checkFile(_ path: String) throws {
        let file = try openCheckpoint(at: path)
        try checkKind(of: file)
        if LoRASummary(of: file.tensors) != nil { _ = try LoRA(path: path) }
        if file is TorchArchive { try checkStorages(of: path) }
        if let shard = try PreparationReport.alteredShard(besides: path) {
            throw InspectionError(shard, "it is not what prepare-weights wrote")
        }
        try checkNumbers(of: file)
    }

    /// Opens an artifact as what it says it is.
    private static func checkKind(of file: any Checkpoint) throws {
        guard let file = file as? TensorFile,
            let kind = ArtifactHeader(of: file).kind.flatMap(ArtifactKind.init(rawValue:))
        else { return }
        let path = file.path
        switch kind {
        case .textCondition: _ = try TextCondition(path: path)
        case .audioCondition: _ = try AudioCondition(path: path)
        case .reference: _ = try Reference(path: path)
        case .replay: _ = try Replay(path: path)
        case .latents, .frames: try ArtifactHeader.check(file, is: kind)
        }
    }

    /// Compares every entry of a PyTorch archive with its checksum.
    private static func checkStorages(of path: String) throws {
        let file = try MappedFile(path: path)
        let zip = try ZipDirectory(of: file.bytes, path: path)
        for entry in zip.entries.values.sorted(by: { $0.name < $1.name }) {
            let bytes = UnsafeRawBufferPointer(rebasing: file.bytes[entry.range])
            guard crc32(bytes) == entry.checksum else {
                throw TensorFileError(
                    path: path, reason: "'\(printable(entry.name))' does not fit its checksum")
            }
            file.advise(.dontNeed, entry.range)
        }
    }

    private static func check(_ folder: StreamFolder, _ progress: (String) -> Void) throws {
        try folder.check()
        let state = try folder.state()
        guard state.end != nil else {
            let all = state.expectedBlocks.map(String.init) ?? "an unknown number of"
            throw InspectionError(
                folder.path,
                "the stream is \(state.progress): \(state.blocks.count) of \(all) blocks are there")
        }
        for part in try Subject(path: folder.path).parts() {
            progress(part.path)
            try checkNumbers(of: part.open())
        }
    }

    private static func checkNumbers(of file: any Checkpoint) throws {
        for tensor in file.tensors where tensor.dataType.isFloatingPoint {
            file.advise(.sequential, tensor.name)
            let statistics = Statistics(of: try file.tensor(tensor.name))
            guard let first = statistics.firstNonFinite else { continue }
            throw InspectionError(
                file.path,
                "tensor '\(printable(tensor.name))' has \(statistics.nans) NaN and "
                    + "\(statistics.infinities) infinities, the first at \(tensor.shape.place(of: first))"
            )
        }
    }
}

extension Shape {
    /// The indices along each axis of the element with this flat row-major index.
    func place(of index: Int) -> Shape {
        var rest = index
        let indices = dimensions.reversed().map { extent in
            defer { rest /= extent }
            return rest % extent
        }
        return Shape(indices.reversed())
    }
}
