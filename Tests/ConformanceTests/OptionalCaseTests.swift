import Compute
import ComputeCPU
import Conformance
import Tensors
import Testing

/// Cases that a device may leave out, and how it is told that it did.
@Suite struct OptionalCaseTests {
    /// Of all cases, those of 8 bits alone may be left out; they run with activations in bfloat16.
    @Test func casesOfEightBitsAreOptional() {
        for operation in OperationCase.all {
            let isNarrow = operation.name.contains("int8") || operation.name.contains("float8")
            #expect(operation.isOptional == isNarrow, "\(operation.name)")
            #expect(operation.types == (isNarrow ? [.bfloat16] : [.float32, .bfloat16]))
        }
        #expect(OperationCase.all.count(where: \.isOptional) == 129)
    }

    /// The processor leaves nothing out.
    @Test(.enabled(if: CPUDevice.isSupported(.bfloat16))) func theProcessorOffersAll() throws {
        let rows = try runCases(
            on: CPUDevice(activationType: .bfloat16), types: [.bfloat16], filter: "8")
        #expect(rows.count > 100)
        #expect(rows.filter { !$0.isOffered }.map(\.name) == [])
        #expect(rows.filter { !$0.isPassed }.map(\.name) == [])
    }

    @Test func whatIsNotOfferedNeitherPassesNorFails() {
        struct Broken: Error {}
        func row(_ error: any Error, isOptional: Bool) -> CaseRow {
            CaseRow("case", .bfloat16, isOptional: isOptional) { throw error }
        }
        let missing = UnsupportedOperation(device: "gpu", operation: "float8_e4m3")
        let left = row(missing, isOptional: true)
        #expect(!left.isOffered && !left.isPassed && !left.isFailed)
        #expect(left.problem == "gpu does not offer float8_e4m3")
        #expect(row(missing, isOptional: false).isFailed)
        #expect(row(Broken(), isOptional: true).isFailed)
    }
}
