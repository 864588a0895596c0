// Speed of single operations on the CPU at the sizes of models, one line each:
//   bench-operations [--bfloat16] [--int8 | --float8] [--threads N] [--seconds S] [FILTER]
// and the table of conformance cases with errors and tolerances:
//   bench-operations --cases [FILTER]
// torch_operations.py times the same names with PyTorch.

import BenchmarkSupport
import Compute
import ComputeCPU
import Conformance
import Foundation
import Tensors

/// Pads or cuts text to a width.
func padded(_ text: String, _ width: Int) -> String {
    text.padding(toLength: width, withPad: " ", startingAt: 0)
}

var arguments = Arguments()
let dataType: DataType = arguments.flag("--bfloat16") ? .bfloat16 : .float32
let matrixType: DataType? =
    arguments.flag("--int8") ? .int8 : arguments.flag("--float8") ? .float8E4M3 : nil
let showsCases = arguments.flag("--cases")
let threads = arguments.option("--threads").flatMap { Int($0) }
let seconds = arguments.option("--seconds").flatMap { Double($0) } ?? 1
let filter = arguments.rest.first ?? ""
let device = try CPUDevice(
    activationType: dataType, matrixType: matrixType, threads: threads)
let types = matrixType.map { "\(dataType), \($0)" } ?? "\(dataType)"

if showsCases {
    for row in try runCases(on: device, types: [.float32, .bfloat16], filter: filter) {
        let verdict = row.isPassed ? "ok" : "FAILED"
        print(
            padded(row.name, 34), padded("\(row.dataType)", 9),
            padded(String(format: "%.2e <= %.0e", row.error, row.tolerance), 18),
            String(format: "%9.3f ms", row.milliseconds), verdict)
    }
    exit(0)
}

for benchmark in OperationBenchmark.all
where filter.isEmpty || benchmark.name.contains(filter) {
    let times = try benchmark.measure(on: device, dataType, seconds: seconds)
    print(
        padded(benchmark.name, 40), padded(types, 22),
        String(
            format: "%9.3f ms best %9.3f median %9.3f processor %8.1f %@", times.best * 1e3,
            times.median * 1e3, times.processor * 1e3, benchmark.work / times.best / 1e9,
            benchmark.unit))
}
