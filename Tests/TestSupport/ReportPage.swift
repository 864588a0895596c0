import Foundation

/// A page of the project that says what its files or its JSON mean.
public enum ReportPage {
    /// The text of a page, by its path in the project.
    public static func text(_ path: String) throws -> String {
        try String(
            contentsOf: URL(fileURLWithPath: #filePath).deletingLastPathComponent()
                .appending(path: "../../\(path)"), encoding: .utf8)
    }

    /// The names of all members in JSON, however deep.
    public static func names(in json: Data) throws -> Set<String> {
        names(try JSONSerialization.jsonObject(with: json))
    }

    private static func names(_ value: Any) -> Set<String> {
        if let list = value as? [Any] { return list.reduce([]) { $0.union(names($1)) } }
        guard let object = value as? [String: Any] else { return [] }
        return object.reduce([]) { $0.union([$1.key]).union(names($1.value)) }
    }
}
