import Crypto
import Foundation
import Tensors
import TestSupport

/// What another reader gives for a tensor: a line of a committed table.
struct ListedTensor {
    /// The cells of the line.
    let cells: [String]

    /// The extents in a cell.
    func extents(_ cell: Int) -> [Int] { cells[cell].split(separator: ",").compactMap { Int($0) } }
    /// The numbers in a cell.
    func numbers(_ cell: Int) -> [Double] {
        cells[cell].split(separator: ",").compactMap { Double($0) }
    }

    /// The lines of a table in the folder of readers' fixtures.
    static func lines(of table: String) throws -> [ListedTensor] {
        try String(contentsOfFile: Fixtures.path("readers/\(table)"), encoding: .utf8)
            .split(separator: "\n").map {
                ListedTensor(
                    cells: $0.split(separator: "\t", omittingEmptySubsequences: false)
                        .map(String.init))
            }
    }
}

/// The SHA-256 of a tensor's elements, in hexadecimal.
func digest(of tensor: TensorView) -> String {
    SHA256.hash(data: Data(tensor.bytes)).map { String(format: "%02x", $0) }.joined()
}
