import Checkpoints
import Tensors
import TestSupport
import Testing

/// The readers against Python's safetensors and torch, whose readings are committed tables
/// (`Tests/Fixtures/make/checkpoint_listing.py` and `reader_cases.py`).
@Suite struct ReadersTests {
    @Test func givesWhatPythonGivesForTheTinyCheckpoint() throws {
        let listed = Dictionary(
            grouping: try ListedTensor.lines(of: "checkpoint-listing.tsv"), by: \.cells[0])
        #expect(listed.count == 6)
        for (file, lines) in listed {
            let checkpoint = try openCheckpoint(at: Fixtures.path("open/ckpt/\(file)"))
            #expect(checkpoint.tensors.map(\.name).sorted() == lines.map(\.cells[1]).sorted())
            for line in lines {
                let tensor = try checkpoint.tensor(line.cells[1])
                #expect(tensor.dataType.description == line.cells[2])
                #expect(tensor.shape.dimensions == line.extents(3))
                #expect(digest(of: tensor) == line.cells[4], "\(file): \(tensor.name)")
                #expect(checkpoint.descriptor(of: tensor.name) == tensor.descriptor)
            }
        }
    }

    @Test(arguments: [
        ("every-type.safetensors", "every-type.tsv", 15), ("every-type.pth", "every-type.tsv", 10),
        ("layouts.pth", "layouts.tsv", 11),
    ])
    func givesWhatPythonGives(file: String, table: String, count: Int) throws {
        let checkpoint = try openCheckpoint(at: Fixtures.path("readers/\(file)"))
        #expect(checkpoint.tensors.count == count)
        let lines = try ListedTensor.lines(of: table)
        for tensor in try checkpoint.tensors.map({ try checkpoint.tensor($0.name) }) {
            let line = try #require(lines.first { $0.cells[0] == tensor.name })
            #expect(tensor.shape.dimensions == line.extents(1), "\(tensor.name)")
            #expect(tensor.doubles() == line.numbers(2), "\(tensor.name)")
        }
    }

    @Test func readsUnalignedTensorsByCopy() throws {
        let file = try TensorFile(path: Fixtures.path("readers/unaligned.safetensors"))
        #expect(try !file.tensor("float64").isAligned)
        #expect(try file.tensor("float64").doubles() == [0.25, -1e300])
        #expect(try file.tensor("int16").floats() == [-2, 300])
    }

    @Test func leavesStoragesWhereTheyLie() throws {
        let archive = try TorchArchive(path: Fixtures.path("readers/layouts.pth"))
        let whole = try archive.tensor("all").bytes
        let tail = try archive.tensor("tail").bytes
        #expect(tail.baseAddress == whole.baseAddress.map { $0 + 20 * 4 })
        let copy = try archive.tensor("transposed").bytes
        #expect(copy.baseAddress.map { whole.contains($0) } == false)
    }

    @Test func knowsTheNewNamesOfWeightNorm() throws {
        let archive = try TorchArchive(path: Fixtures.path("readers/parametrized.pth"))
        let renamed = try RenamedCheckpoint(withOldWeightNormNames: archive)
        #expect(renamed.tensors.map(\.name) == ["bias", "weight_g", "weight_v"])
        #expect(try renamed.tensor("weight_g").shape == [1, 1, 3])
        #expect(try renamed.tensor("weight_v").shape == [4, 2, 3])
        #expect(try renamed.tensor("weight_v").name == "weight_v")
    }
}

extension UnsafeRawBufferPointer {
    /// Whether an address lies in the buffer.
    fileprivate func contains(_ address: UnsafeRawPointer) -> Bool {
        guard let start = baseAddress else { return false }
        return address >= start && address < start + count
    }
}
