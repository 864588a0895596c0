/// Algorithms that were found faster than those that the libraries think best, for one library on one kind of card.
///
/// They are the same for everyone with that kind of card and version of the library: nothing is measured where it runs, so
/// that the same inputs always give the same bytes.
package struct LibraryChoices {
    private let maker: String
    private let table: [String: String]

    /// The choices for a library, as in "cuDNN", of a version, as in 91400, on an architecture, as in 90.
    package init(
        _ library: String, version: Int, architecture: Int,
        table: [String: String] = Self.measured
    ) {
        maker = "\(architecture) \(library) \(version)"
        self.table = table
    }

    /// The name of the algorithm for a kind of problem; nil to take what the library thinks best.
    package subscript(kind: String) -> String? { table[key(kind)] }

    /// Under what the choice for a kind of problem is in the table.
    package func key(_ kind: String) -> String { "\(maker) \(kind)" }
}
