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
            same bits, and the time; at the end stands what computed. Exit code 0 if all is well, 1 if a row fails.

            A device need not offer 8 bits: where it does not, rows begin with --, and fail only with --strict. With \
            --fixtures and neither --precision nor --attention, the text encoder and the denoiser run with matrices \
            and windows of 8 bits, too, behind everything else.

              check-device --device cpu --filter attention
              check-device --device cuda:0 --fixtures Tests/Fixtures/open
              check-device --device cuda:0 --fixtures Tests/Fixtures/open --precision fp8 --attention fp8 --strict

            EXIT STATUS
              0 all is well, 1 a row fails or none matches, 64 wrong usage, 130 interrupted, 143 terminated.
            """,
        version: Project.version)

    @OptionGroup(title: "Device") var device: DeviceOptions

    @Option(
        help: ArgumentHelp("The tiny models and what they must compute.", valueName: "dir"))
    var fixtures: String?

    @Option(help: ArgumentHelp("Only cases whose name contains this.", valueName: "name"))
    var filter: String?

    @Option(
        help: ArgumentHelp(
            "Only this type of large matrices: f32, bf16, fp8 or int8.", valueName: "type"))
    var precision: Precision?

    @Option(
        help: ArgumentHelp(
            "The type of the denoiser's self-attention and its windows: bf16 or fp8.",
            valueName: "type"))
    var attention: AttentionType?

    @Flag(help: "Let what the device does not offer fail.")
    var strict = false

    func run() throws {
        if let fixtures, !FileManager.default.fileExists(atPath: fixtures + "/goldens") {
            throw ToolError("cannot use '\(fixtures)': it has no folder 'goldens'")
        }
        let precisions = precision.map { [$0] } ?? [.float32, .bfloat16]
        var tally = Tally()
        for precision in precisions {
            tally += try check(device.open(transformer: precision), attention ?? .activations)
        }
        if precision == nil && attention == nil {
            tally += try checkGoldensOfEightBits()
        }
        guard tally.rows > 0 else {
            throw ToolError("no case has '\(filter ?? "")' in its name")
        }
        guard tally.failures == 0 else {
            throw ToolError(
                "\(tally.failures) \(tally.failures == 1 ? "case fails" : "cases fail")")
        }
    }

    /// Rows that were shown, and those of them that failed.
    private struct Tally {
        var rows = 0
        var failures = 0

        static func += (sum: inout Tally, part: Tally) {
            sum.rows += part.rows
            sum.failures += part.failures
        }
    }

    /// Prints a row for each case in the type of the device's activations.
    private func check(_ device: any Device, _ attention: AttentionType) throws -> Tally {
        let rows = try runCases(
            on: device, types: [device.activationType], filter: filter ?? "", hear: show)
        return try finish(
            rows + goldens(on: device, attention), on: device, name(of: device, attention))
    }

    /// The same for models alone, with matrices and windows of 8 bits; a device need not open so.
    private func checkGoldensOfEightBits() throws -> Tally {
        guard fixtures != nil else { return Tally() }
        let kinds: [(Precision, AttentionType)] = [
            (.float8, .activations), (.int8, .activations), (.bfloat16, .float8),
            (.float8, .float8),
        ]
        return try kinds.reduce(into: Tally()) { tally, kind in
            let (precision, attention) = kind
            do {
                let device = try device.open(transformer: precision)
                tally += try finish(
                    goldens(on: device, attention), on: device, name(of: device, attention))
            } catch let problem as UnsupportedOperation {
                let name = "models with \(precision.matrixType) matrices"
                let row = CaseRow(name, precision.activationType, isOptional: true) {
                    throw problem
                }
                try show(row)
                tally += try finish([row], on: nil, "\(precision.activationType)")
            }
        }
    }

    /// A row for each model whose files are there.
    private func goldens(
        on device: any Device, _ attention: AttentionType
    ) throws -> [CaseRow] {
        guard let fixtures else { return [] }
        return try runGoldens(
            GoldenFolder(path: fixtures, windowType: attention.windowType), on: device,
            filter: filter ?? "", hear: show)
    }

    /// Prints what computed, and how much is not offered.
    private func finish(
        _ rows: [CaseRow], on device: (any Device)?, _ name: String
    ) throws -> Tally {
        if !rows.isEmpty, let kernels = (device as? any KernelReporting)?.kernelsUsed {
            let names = kernels.joined(separator: " ")
            try StandardOutput.write("computed in \(name) by: \(names)\n")
        }
        let missing = rows.count { !$0.isOffered }
        if missing > 0 { try StandardOutput.write("not offered in \(name): \(missing)\n") }
        return Tally(
            rows: rows.count, failures: rows.count { $0.isFailed || strict && !$0.isOffered })
    }

    /// The types, as in `bfloat16 with int8 matrices`.
    private func name(of device: any Device, _ attention: AttentionType) -> String {
        let matrices = device.matrixType == device.activationType ? nil : device.matrixType
        let parts = [
            matrices.map { "\($0) matrices" }, attention.windowType.map { "\($0) windows" },
        ].compactMap(\.self)
        return "\(device.activationType)"
            + (parts.isEmpty ? "" : " with " + parts.joined(separator: " and "))
    }

    private func show(_ row: CaseRow) throws { try StandardOutput.write(line(row) + "\n") }

    private func line(_ row: CaseRow) -> String {
        let name = row.name.padding(toLength: max(52, row.name.count), withPad: " ", startingAt: 0)
        let verdict = row.isPassed ? "ok  " : row.isOffered ? "FAIL" : "--  "
        let start = "\(verdict) \(name) \(row.dataType)  "
        if let problem = row.problem { return start + problem }
        let numbers = String(
            format: "%9.2e of %7.1e %9.3f ms", row.error, row.tolerance, row.milliseconds)
        return start + numbers + (row.isDeterministic ? "" : "  differs from run to run")
    }
}
