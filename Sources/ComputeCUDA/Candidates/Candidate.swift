import Compute

/// A problem that a library solved here, and the ways in which it can.
struct CandidateProblem {
    /// The problem with its extents.
    let title: String
    /// Under what a choice is in the table; nil for a problem that is only compared with others.
    let key: String?
    /// Multiplications and additions.
    let flops: Double
    /// Bytes of each operand that is read.
    let inputs: [Int]
    /// Bytes of what is written.
    let output: Int
    /// The name of the candidate that is used now; nil for the first.
    let choice: String?
    /// All ways, best first as the library thinks.
    let candidates: () throws -> [Candidate]
}

/// One way of solving a problem.
struct Candidate {
    /// What tells it from others.
    let name: String
    /// Makes it ready, which may compile a kernel; nil if the library refuses after all.
    let prepare: () throws -> Prepared?

    /// A candidate ready to run.
    struct Prepared {
        /// Bytes that it works in.
        let workspaceBytes: Int
        /// Puts it into the stream, with memory for its inputs and its output.
        let run: (_ inputs: [Tensor], _ output: Tensor) throws -> Void
    }
}
