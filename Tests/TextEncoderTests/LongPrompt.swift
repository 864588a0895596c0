import Foundation
import TestSupport

/// The token numbers of the goldens' longest prompt.
enum LongPrompt {
    private struct File: Decodable {
        struct Case: Decodable {
            let cls: String
            let ids: [Int32]
        }
        let cases: [Case]
    }

    private struct Missing: Error {}

    /// The 512 tokens of the first case of class "long".
    static func tokens() throws -> [Int32] {
        let path = Fixtures.path("open/goldens/tokenizer.json")
        let file = try JSONDecoder().decode(
            File.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
        guard let long = file.cases.first(where: { $0.cls == "long" }) else { throw Missing() }
        return long.ids
    }
}
