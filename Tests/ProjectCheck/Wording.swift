/// What may not be written down: sizes of one model, and languages that not all of us read.
enum Wording {
    /// Sizes of the published model and of its usual picture; code takes them from files and requests.
    private static let modelSizes: Set<String> = [
        "5120", "13824", "15360", "30720", "3168", "12672", "2800", "45000", "256384",
    ]

    /// Where those sizes stand that models are planned for and timed at without files.
    private static let publishedSizes: Set = [
        "Sources/Planning/PublishedDenoiser.swift",
        "Sources/StageBenchmarks/PublishedSizes.swift",
    ]

    /// Problems of one file's lines.
    static func problems(in file: SourceFile) -> [String] {
        var problems: [String] = []
        for (index, line) in file.lines.enumerated() {
            let place = "\(file.path):\(index + 1)"
            if let size = modelSize(in: line), file.path.hasPrefix("Sources/"),
                !publishedSizes.contains(file.path)
            {
                problems.append("\(place): \(size) is a size of one model")
            }
            if let letter = foreignLetter(in: line), !file.path.hasPrefix("Tests/") {
                problems.append("\(place): '\(letter)' is not English")
            }
        }
        return problems
    }

    /// A number in the line's code, not in its comment, that is a size of the model.
    private static func modelSize(in line: Substring) -> String? {
        let code = line.split(separator: "//", maxSplits: 1, omittingEmptySubsequences: false)[0]
        let numbers = code.split { !($0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_")) }
        return numbers.lazy.map { $0.filter { $0 != "_" } }.first(where: modelSizes.contains)
    }

    /// A letter of a script other than Latin or Greek, which formulas use.
    private static func foreignLetter(in line: Substring) -> Unicode.Scalar? {
        line.unicodeScalars.first { scalar in
            scalar.properties.isAlphabetic && scalar.value > 0x3FF
                && !(0x1D00...0x214F).contains(scalar.value)
        }
    }
}
