import Compute
import ComputeCPU
import Conformance
import Tensors
import Testing

/// Every case on the CPU; in sequence, as each uses all cores.
@Suite(.serialized) struct CPUDeviceTests {
    @Test(arguments: OperationCase.all.map(\.name))
    func meetsTheReference(name: String) throws {
        let types: [DataType] =
            CPUDevice.isSupported(.bfloat16) ? [.float32, .bfloat16] : [.float32]
        let device = try CPUDevice()
        let operation = try #require(OperationCase.all.first { $0.name == name })
        for type in types {
            let row = try run(operation, on: device, type)
            #expect(row.error <= row.tolerance, "\(type)")
            #expect(row.isDeterministic, "\(type)")
        }
    }
}
