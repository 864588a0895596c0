import Foundation
import Tensors

/// How an artifact was made: by which tool, with which options, from which inputs.
///
/// Every field may be unknown, since a file made elsewhere may tell as much as it likes.
public struct Provenance: Codable, Hashable, Sendable {
    /// The tool's name.
    public var tool: String?
    /// The tool's version.
    public var toolVersion: String?
    /// The options that shape the bytes, defaults included, as they would be typed.
    ///
    /// Paths, the device's index, the memory limit and how the work was split do not belong here.
    public var options: [String: String]?
    /// The files that it was made from.
    public var inputs: [Input]?

    private enum CodingKeys: String, CodingKey {
        case tool, options, inputs
        case toolVersion = "tool_version"
    }

    /// The provenance of what a tool is about to write.
    public init(
        tool: String, toolVersion: String, options: [String: String] = [:], inputs: [Input] = []
    ) {
        self.tool = tool
        self.toolVersion = toolVersion
        self.options = options
        self.inputs = inputs
    }
}

extension Provenance {
    /// Reads what metadata tells; nil if it tells nothing. What cannot be understood is unknown.
    public init?(metadata: [String: String]) {
        func decoded<Value: Decodable>(_ type: Value.Type, _ key: String) -> Value? {
            metadata[key].flatMap { try? JSONDecoder().decode(type, from: Data($0.utf8)) }
        }
        tool = metadata["tool"]
        toolVersion = metadata["tool_version"]
        options = decoded([String: String].self, "options")
        inputs = decoded([Input].self, "inputs")
        if tool == nil, toolVersion == nil, options == nil, inputs == nil { return nil }
    }

    /// The metadata strings that tell this: texts as they are, the rest as JSON with sorted names.
    public func metadata() throws -> [String: String] {
        var metadata: [String: String] = [:]
        metadata["tool"] = tool
        metadata["tool_version"] = toolVersion
        metadata["options"] = try options.map { try CanonicalJSON.line($0) }
        metadata["inputs"] = try inputs.map { try CanonicalJSON.line($0) }
        return metadata
    }
}

extension Provenance {
    /// What makes bytes of `other` differ from those of this one, in words; nil if nothing does.
    ///
    /// Names of inputs do not count, their digests do.
    public func difference(from other: Provenance?) -> String? {
        func words(_ name: String, _ mine: String?, _ others: String?) -> String? {
            mine == others ? nil : "\(name) is \(mine ?? "unknown"), it was \(others ?? "unknown")"
        }
        let names = Set((options ?? [:]).keys).union((other?.options ?? [:]).keys).sorted()
        return words("the tool", tool, other?.tool)
            ?? words("the tool's version", toolVersion, other?.toolVersion)
            ?? names.lazy.compactMap { name in
                words(
                    "option '\(name)'", options?[name] ?? "unset", other?.options?[name] ?? "unset")
            }.first
            ?? Self.difference(of: inputs ?? [], from: other?.inputs ?? [])
    }

    private static func difference(of inputs: [Input], from others: [Input]) -> String? {
        for (mine, other) in zip(inputs, others) {
            guard mine.role == other.role else {
                return "input '\(mine.role)' stands where '\(other.role)' was"
            }
            guard mine.digest == other.digest else {
                return
                    "input '\(mine.role)' has other content: \(mine.summary), it was \(other.summary)"
            }
        }
        guard inputs.count == others.count else {
            return "it has \(inputs.count) inputs, it had \(others.count)"
        }
        return nil
    }
}

extension Provenance {
    /// The chain back to what no tool made, a line each, inputs indented under what they went into.
    public var outline: [String] {
        let settings = (options ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        let maker = "\(tool ?? "unknown tool") \(toolVersion ?? "(unknown version)")"
        let head = ([maker] + (options == nil ? ["(unknown options)"] : settings))
            .joined(separator: " ")
        guard let inputs else { return [head, "  unknown inputs"] }
        return [head]
            + inputs.flatMap { input in
                ["  \(input.role): \(input.summary)"]
                    + (input.provenance?.outline ?? []).map { "    " + $0 }
            }
    }
}
