import Checkpoints
import Foundation
import Tensors
import TestSupport

/// Opens damaged files of every kind that the readers know, and reads what opens.
///
/// A crash or a hang is the finding; the input then lies at `path`. Errors must be one line with the
/// path, or the fuzzer traps.
public struct ReaderFuzzer {
    /// What came of the inputs of one kind.
    public struct Tally: Sendable {
        /// Inputs that opened, all of whose tensors could be read.
        public var opened = 0
        /// Inputs that ended in an error.
        public var refused = 0
    }

    /// Results by kind of input.
    public private(set) var tallies: [String: Tally] = [:]
    /// The longest time that one input took.
    public private(set) var slowest = Duration.zero

    private let folder: String
    private let sound: [Seed]
    private let broken: [Seed]
    private var mutator: Mutator

    /// What an input is made from.
    private struct Seed {
        let kind: Kind
        let bytes: [UInt8]
        /// For pickles: the other entries of their archive.
        var entries: [(name: String, bytes: [UInt8])] = []
    }

    /// The kinds of inputs, by what is damaged.
    private enum Kind: String, CaseIterable {
        case tensorFile = "tensor files"
        case header = "headers of right length"
        case archive = "archives"
        case pickle = "pickles in sound archives"
        case index = "indexes"
    }

    /// A fuzzer that writes its inputs into `folder`; throws if the fixtures cannot be read.
    public init(seed: UInt64, folder: String) throws {
        self.folder = folder
        let shard = "unaligned.safetensors"
        try FileManager.default.copyItem(
            atPath: Fixtures.path("readers/\(shard)"), toPath: "\(folder)/\(shard)")
        let index =
            #"{"metadata":{"a":[1]},"weight_map":{"float64":"\#(shard)","int16":"\#(shard)"}}"#
        sound = try Self.readSeeds("readers") + [Seed(kind: .index, bytes: Array(index.utf8))]
        broken = try Self.readSeeds("hostile")
        mutator = Mutator(
            random: SplitMix64(seed: seed), corpus: (sound + broken).map(\.bytes))
    }

    /// The files of a folder of fixtures, by what can be damaged in them.
    private static func readSeeds(_ folder: String) throws -> [Seed] {
        var seeds: [Seed] = []
        let names = try FileManager.default.contentsOfDirectory(atPath: Fixtures.path(folder))
        for name in names.sorted() {
            let file = Fixtures.path("\(folder)/\(name)")
            let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: file)))
            // Long files are long by repetition, and would be most of the time.
            guard bytes.count < 8192 else { continue }
            if name.hasSuffix(".safetensors") {
                seeds += [Seed(kind: .tensorFile, bytes: bytes), Seed(kind: .header, bytes: bytes)]
            } else if name.hasSuffix(".json") {
                seeds.append(Seed(kind: .index, bytes: bytes))
            } else if name.hasSuffix(".pth") {
                seeds.append(Seed(kind: .archive, bytes: bytes))
                if let seed = pickleSeed(bytes) { seeds.append(seed) }
            }
        }
        return seeds
    }

    /// The pickle of an archive and what else is in it, if its zip is sound.
    private static func pickleSeed(_ archive: [UInt8]) -> Seed? {
        archive.withUnsafeBytes { bytes in
            let zip = try? ZipDirectory(of: bytes, path: "")
            var entries = (zip?.entries ?? [:]).values.sorted { $0.name < $1.name }
                .map { (name: $0.name, bytes: Array(bytes[$0.range])) }
            guard let index = entries.firstIndex(where: { $0.name.hasSuffix("/data.pkl") }) else {
                return nil
            }
            let pickle = entries.remove(at: index)
            entries.insert((name: pickle.name, bytes: []), at: 0)
            return Seed(kind: .pickle, bytes: pickle.bytes, entries: entries)
        }
    }

    /// Makes and opens `count` inputs.
    public mutating func run(count: Int) throws {
        for _ in 0..<count {
            // Most damage should be the first: what is broken already is seldom read far.
            let isSound = Int.random(in: 0..<8, using: &mutator.random) > 0
            guard let seed = (isSound ? sound : broken).randomElement(using: &mutator.random)
            else { return }
            let path = try makeInput(from: seed)
            let start = ContinuousClock.now
            var tally = tallies[seed.kind.rawValue, default: Tally()]
            if open(path) { tally.opened += 1 } else { tally.refused += 1 }
            tallies[seed.kind.rawValue] = tally
            slowest = max(slowest, ContinuousClock.now - start)
        }
    }

    private mutating func makeInput(from seed: Seed) throws -> String {
        var bytes = seed.bytes
        switch seed.kind {
        case .header: mutateHeader(&bytes)
        default: mutator.mutate(&bytes)
        }
        let ending =
            switch seed.kind {
            case .tensorFile, .header: "safetensors"
            case .archive, .pickle: "pth"
            case .index: "index.json"
            }
        let path = "\(folder)/input.\(ending)"
        // A file system may flush a file that is truncated and written again.
        unlink(path)
        if seed.kind == .pickle {
            try writeArchive(bytes, seed.entries, to: path)
        } else {
            try write(bytes, to: path)
        }
        return path
    }

    /// Damages the JSON alone and puts its length right.
    private mutating func mutateHeader(_ bytes: inout [UInt8]) {
        guard bytes.count >= 8 else { return mutator.mutate(&bytes) }
        let length = bytes[..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let end = 8 + Int(clamping: min(length, UInt64(bytes.count - 8)))
        var header = Array(bytes[8..<end])
        mutator.mutate(&header)
        let prefix = withUnsafeBytes(of: UInt64(header.count).littleEndian, Array.init)
        bytes.replaceSubrange(..<end, with: prefix + header)
    }

    /// Writes an archive whose first entry is a pickle.
    private func writeArchive(
        _ pickle: [UInt8], _ entries: [(name: String, bytes: [UInt8])], to path: String
    ) throws {
        var archive = try ArchiveBuilder(path: path)
        try archive.add(entries[0].name, pickle)
        for entry in entries.dropFirst() { try archive.add(entry.name, entry.bytes) }
        try archive.finish()
    }

    private func write(_ bytes: [UInt8], to path: String) throws {
        guard let file = fopen(path, "w") else { throw SystemError("create", path) }
        defer { fclose(file) }
        guard fwrite(bytes, 1, bytes.count, file) == bytes.count else {
            throw SystemError("write", path)
        }
    }

    /// Opens a file and reads every tensor; false if that ended in an error.
    private func open(_ path: String) -> Bool {
        do {
            let checkpoint = try openCheckpoint(at: path)
            for tensor in checkpoint.tensors {
                let view = try checkpoint.tensor(tensor.name)
                precondition(view.descriptor == tensor)
                _ = view.bytes.reduce(0 as UInt8, ^)
            }
            return true
        } catch {
            let message = "\(error)"
            precondition(message.contains(path) && !message.contains("\n"), message)
            return false
        }
    }
}
