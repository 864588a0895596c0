import Foundation
import Tensors
import TestSupport
import Testing

/// Files written here and read by Python. The other way round is tested with the checkpoints.
@Suite struct ExchangeTests {
    let folder = TemporaryFolder()

    /// `readers/written-here.safetensors` was read by Python (`Tests/Fixtures/make/check_written.py`), so
    /// that the same bytes will be read again.
    @Test func writesWhatPythonWasSeenToRead() throws {
        let path = folder.path("every-type.safetensors")
        let original = try TensorFile(path: Fixtures.path("readers/every-type.safetensors"))
        #expect(Set(original.tensors.map(\.dataType)) == Set(DataType.allCases))
        let metadata = ["kind": "test", "odd": "\"\\/\n\t\u{1}\u{7F}é 𝄞"]
        try TensorFileWriter.write(original.views, metadata: metadata, to: path)
        #expect(
            FileManager.default.contentsEqual(
                atPath: path, andPath: Fixtures.path("readers/written-here.safetensors")))

        let copy = try TensorFile(path: path)
        #expect(copy.metadata == metadata)
        for tensor in original.views {
            let written = try copy.tensor(tensor.name)
            #expect(written.descriptor == tensor.descriptor)
            #expect(written.bytes.elementsEqual(tensor.bytes))
            #expect(written.isAligned)
        }
    }
}
