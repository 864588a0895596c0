import Compute
import ComputeCPU
import Conformance
import Foundation
import Tensors
import TestSupport
import Testing

/// Every model on the CPU against what the released code makes of the tiny checkpoint. The lists of cases say what was
/// observed.
@Suite struct GoldenTests {
    private let folder = GoldenFolder(path: Fixtures.path("open"))

    @Test(arguments: GoldenCase.all) func agrees(golden: GoldenCase) throws {
        let row = try golden.row(folder, on: CPUDevice())
        #expect(row.isPassed, "\(row.error) of \(row.tolerance)")
    }

    @Test(.enabled(if: CPUDevice.isSupported(.bfloat16)), arguments: GoldenCase.all)
    func agreesInBFloat16(golden: GoldenCase) throws {
        let row = try golden.row(folder, on: CPUDevice(activationType: .bfloat16))
        #expect(row.isPassed, "\(row.error) of \(row.tolerance)")
    }

    /// Streamed runs are asked for where memory is apart, and are equal; a wait that lacks is seen.
    @Test func streamedRunsAreEqual() throws {
        let device = try CPUDevice()
        #expect(try runGoldens(folder, on: device, filter: "streamed").isEmpty)
        let apart = ApartDevice(device, pace: .random(1))
        let rows = try runGoldens(folder, on: apart, filter: "streamed")
        #expect(rows.count == 3 && rows.allSatisfy(\.isPassed))
        let hasty = ApartDevice(device, pace: .copiesLast, flaw: .hastyOperations)
        let wrong = try runGoldens(folder, on: hasty, filter: "streamed")
        #expect(wrong.count == 3 && wrong.allSatisfy { !$0.isPassed })
    }

    /// With matrices in 8 bits, activations in float32.
    @Test(arguments: [DataType.int8, .float8E4M3], GoldenCase.text + GoldenCase.denoiser)
    func agreesWithNarrowMatrices(type: DataType, golden: GoldenCase) throws {
        let row = try golden.row(folder, on: CPUDevice(matrixType: type))
        if ProcessInfo.processInfo.environment["SHOW_ERRORS"] != nil {
            print("observed", type, row.error, golden.name)
        }
        #expect(row.isPassed && row.error > 1e-4, "\(row.error) of \(row.tolerance)")
    }

    /// With windows in 8 bits, beside matrices of several types and activations in float32.
    @Test(arguments: [DataType.float32, .int8], GoldenCase.denoiser)
    func agreesWithNarrowWindows(matrices: DataType, golden: GoldenCase) throws {
        let folder = GoldenFolder(path: folder.path, windowType: .float8E4M3)
        let row = try golden.row(folder, on: CPUDevice(matrixType: matrices))
        if ProcessInfo.processInfo.environment["SHOW_ERRORS"] != nil {
            print("observed windows beside", matrices, row.error, golden.name)
        }
        #expect(row.isPassed && row.error > 1e-4, "\(row.error) of \(row.tolerance)")
    }

    @Test func aDeviceThatComputesNothingFails() throws {
        for row in try runGoldens(folder, on: RecordingDevice(), filter: "encode") {
            #expect(!row.isPassed && row.error > 0.1)
        }
        let rows = try runCases(on: RecordingDevice(), types: [.float32], filter: "linear/")
        // Where nothing is to be computed, nothing is right.
        #expect(rows.filter(\.isPassed).map(\.name) == ["linear/no-rows"])
    }

    @Test func whatCannotBeDoneIsARowThatSaysWhy() throws {
        let device = try CPUDevice(memoryLimit: 1000)
        let rows = try runGoldens(folder, on: device, filter: "text/ascii")
        #expect(rows.count == 1)
        #expect(rows[0].problem?.contains("memory") == true)
        #expect(!rows[0].isPassed)
    }

    @Test func rowsAreToldAsTheyCome() throws {
        var names: [String] = []
        let device = try CPUDevice()
        let rows = try runGoldens(folder, on: device, filter: "text/s") { names.append($0.name) }
        #expect(names == ["text/special_tokens"])
        #expect(rows.map(\.name) == names)
    }
}
