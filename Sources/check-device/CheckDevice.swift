import ArgumentParser
import Compute
import Conformance
import Foundation
import Tensors
import ToolSupport

/// The tool that judges a device: every operation against its meaning, every model against the released code.
@main struct CheckDevice: Tool {
    static let configuration = CommandConfiguration(
        commandName: "check-device",
        abstract: "Check what a device computes, operation by operation and model by model.",
        discussion: """
            Runs the table of operation cases on the device, in float32 and bfloat16, and compares each result with the \
            same computed in float64. With --fixtures it runs the tiny models of that folder, too, and compares \
            with what the released code makes of them. A row tells the error, the tolerance, whether two runs gave the \
            same bits, and the time; at the end stands what computed. Exit code 0 if all is well, 1 if a row fails. \
            Operations on tensors of 8 bits, which a device need not offer, are rows that begin with -- where it does not.

              check-device --device cpu --filter attention
              check-device --device cuda:0 --fixtures Tests/Fixtures/open
            """,
        version: Project.version)

    @OptionGroup(title: "Device") var device: DeviceOptions

    @Option(
        help: ArgumentHelp("The tiny models and what they must compute.", valueName: "dir"))
    var fixtures: String?

    @Option(help: ArgumentHelp("Only cases whose name contains this.", valueName: "name"))
    var filter: String?

    @Option(help: ArgumentHelp("Only this type: f32 or bf16.", valueName: "type"))
    var precision: FloatType?

    func run() throws {
        var failures = 0
        for type in precision.map({ [$0] }) ?? FloatType.allCases {
            failures += try check(device.open(type))
        }
        guard failures == 0 else {
            throw ToolError("\(failures) \(failures == 1 ? "case fails" : "cases fail")")
        }
    }

    /// Prints a row for each case in the type of the device's activations; the number of those that fail.
    private func check(_ device: any Device) throws -> Int {
        let filter = filter ?? ""
        let show = { (row: CaseRow) in try StandardOutput.write(line(row) + "\n") }
        var rows = try runCases(
            on: device, types: [device.activationType], filter: filter, hear: show)
        if let fixtures {
            rows += try runGoldens(
                GoldenFolder(path: fixtures), on: device, filter: filter, hear: show)
        }
        if let kernels = (device as? any KernelReporting)?.kernelsUsed {
            let names = kernels.joined(separator: " ")
            try StandardOutput.write("computed in \(device.activationType) by: \(names)\n")
        }
        let missing = rows.count { !$0.isOffered }
        if missing > 0 {
            try StandardOutput.write("not offered in \(device.activationType): \(missing)\n")
        }
        return rows.count(where: \.isFailed)
    }

    private func line(_ row: CaseRow) -> String {
        let name = row.name.padding(toLength: 52, withPad: " ", startingAt: 0)
        let verdict = row.isPassed ? "ok  " : row.isOffered ? "FAIL" : "--  "
        let start = "\(verdict) \(name) \(row.dataType)  "
        if let problem = row.problem { return start + problem }
        let numbers = String(
            format: "%9.2e of %7.1e %9.3f ms", row.error, row.tolerance, row.milliseconds)
        return start + numbers + (row.isDeterministic ? "" : "  differs from run to run")
    }
}
