import ArgumentParser
import Conformance
import Foundation
import Tensors
import ToolSupport

/// The tool that judges a device: every operation against its meaning.
@main struct CheckDevice: Tool {
    static let configuration = CommandConfiguration(
        commandName: "check-device",
        abstract: "Check every operation of a device against its definition.",
        discussion: """
            Runs the table of operation cases on the device, in float32 and bfloat16, and compares each result with the \
            same computed in float64. A row tells the relative error, the tolerance, whether two runs gave the same \
            bits, and the time. Exit code 0 if all is well, 1 if a row fails.

              check-device --device cpu --filter attention
            """,
        version: Project.version)

    @OptionGroup(title: "Device") var device: DeviceOptions

    @Option(help: ArgumentHelp("Only cases whose name contains this.", valueName: "name"))
    var filter: String?

    @Option(help: ArgumentHelp("Only this type: f32 or bf16.", valueName: "type"))
    var precision: FloatType?

    func run() throws {
        var failures = 0
        for type in precision.map({ [$0] }) ?? FloatType.allCases {
            let device = try device.open(type)
            for row in try runCases(on: device, types: [type.dataType], filter: filter ?? "") {
                print(line(row))
                if !row.isPassed { failures += 1 }
            }
        }
        guard failures == 0 else {
            throw ToolError("\(failures) \(failures == 1 ? "case fails" : "cases fail")")
        }
    }

    private func line(_ row: CaseRow) -> String {
        let name = row.name.padding(toLength: 44, withPad: " ", startingAt: 0)
        let numbers = String(
            format: "%9.2e of %7.1e %9.3f ms", row.error, row.tolerance, row.milliseconds)
        let bits = row.isDeterministic ? "" : "  differs from run to run"
        return "\(row.isPassed ? "ok  " : "FAIL") \(name) \(row.dataType)  \(numbers)\(bits)"
    }
}
