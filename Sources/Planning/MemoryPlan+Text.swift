import Compute
import Denoiser
import Foundation

extension MemoryPlan {
    /// The plan as a table of one column, for people.
    public var text: String {
        planTable([column(steps: 0..<request.steps)]) + notes.map { $0 + "\n" }.joined()
    }

    /// What else there is to know, a line each.
    var notes: [String] {
        var notes: [String] = []
        if place.widensAttention(of: request) {
            let name = request.precision.activationType == .float32 ? "f32" : "bf16"
            notes.append("attention computed in \(name) from fp8 windows")
        }
        return notes + (hostMemoryNote(hostBytes, of: place.hostMemory).map { [$0] } ?? [])
    }

    /// Names and cells, from the top.
    func column(steps: Range<Int>) -> [(name: String, cell: String)] {
        [
            ("", place.name),
            ("steps", steps.count == 1 ? "\(steps.upperBound)" : Self.range(steps)),
        ] + weightRows + windowRows + totalRows + linkRows + timeRows
    }

    private static func range(_ steps: Range<Int>) -> String {
        "\(steps.lowerBound + 1)-\(steps.upperBound)"
    }

    private var weightRows: [(String, String)] {
        let streamed = residency.streamedLayers.count
        let resident = groups.layerWeights.enumerated().reduce(0) {
            residency.streamedLayers.contains($1.offset) ? $0 : $0 + $1.element
        }
        let slots = streamed == 0 ? 0 : residency.weightSlots * groups.weightSlot
        return [
            ("weights outside layers", gigabytes(groups.fixedWeights)),
            ("weights of \(groups.layers) layers", gigabytes(resident + slots)),
        ] + streamedRow("layers", streamed, of: groups.layers)
    }

    private var windowRows: [(String, String)] {
        let all = groups.steps * groups.layers
        let streamed = residency.streamedWindows.reduce(0) { $0 + $1.count }
        let slots = streamed == 0 ? 0 : residency.windowSlots * groups.windowSlot
        let resident = (all - streamed) * groups.branches * groups.window + slots
        return [
            (
                "windows of \(groups.steps == 1 ? "1 step" : "\(groups.steps) steps")",
                gigabytes(resident)
            )
        ] + streamedRow("windows", streamed, of: all)
            + [
                (
                    "text, reference, modulation",
                    gigabytes(groups.text + groups.referenceKeys + groups.modulations)
                ),
                ("temporaries, libraries", gigabytes(groups.temporaries + groups.libraries)),
            ]
    }

    private func streamedRow(
        _ what: String, _ count: Int, of all: Int
    ) -> [(String, String)] {
        [("  streamed \(what)", count == 0 ? "none" : "\(count) of \(all)")]
    }

    private var totalRows: [(String, String)] {
        let outside = place.overhead.map { [("context, libraries", gigabytes($0.bytes))] } ?? []
        return outside + [
            ("in all", gigabytes(totalBytes)),
            ("limit", place.limit.map(gigabytes) ?? "none"),
            ("least limit", gibibytes(minimumBytes)),
        ]
    }

    private var linkRows: [(String, String)] {
        guard place.overhead != nil else { return [] }
        return [
            ("host memory", gigabytes(hostBytes)),
            ("link a step, to the card", gigabytes(linkBytes.fetched / request.steps)),
            ("link a step, back", gigabytes(linkBytes.stored / request.steps)),
        ]
    }

    private var timeRows: [(String, String)] {
        guard let seconds else { return [] }
        return [
            ("card a step", milliseconds(seconds.compute)),
            ("link a step", milliseconds(seconds.link)),
            ("step", milliseconds(seconds.step)),
        ]
    }
}

extension RunPlan {
    /// The plan as a table for people: a column for each place.
    public var text: String {
        var lines = [
            "\(request.summary), \(request.actors == 1 ? "1 voice" : "\(request.actors) voices")"
        ]
        if request.branches > 1 { lines[0] += ", guided" }
        lines += ["", planTable(parts.map { $0.plan.column(steps: $0.steps) })]
        if !idle.isEmpty { lines.append("without steps: " + idle.joined(separator: " ")) }
        lines += sharedMemoryNote.map { [$0] } ?? []
        for part in parts {
            lines += part.plan.notes.map { "\(part.plan.place.name): \($0)" }.filter {
                !lines.contains($0)
            }
        }
        if let framesPerSecond {
            lines.append(String(format: "latents for %.1f frames a second", framesPerSecond))
        }
        for source in Set(
            parts.compactMap(\.plan.place.rates).map {
                "rates: \($0.cardName), \($0.source)"
            }
        )
        .sorted() { lines.append(source) }
        lines.append(
            "disk for a minute: voice \(gigabytes(disk.audio)), latents"
                + " \(gigabytes(disk.latents)), frames \(gigabytes(disk.frames))")
        return lines.joined(separator: "\n") + "\n"
    }
}

extension RunPlan {
    /// The same for cards of one machine together, where none alone needs too much.
    fileprivate var sharedMemoryNote: String? {
        let here = parts.map(\.plan).filter { $0.place.hostMemory != nil }
        guard let memory = here.compactMap(\.place.hostMemory).max(),
            here.allSatisfy({ $0.hostBytes <= memory })
        else { return nil }
        return hostMemoryNote(here.reduce(0) { $0 + $1.hostBytes }, of: memory)
    }
}

/// A warning that a machine has less memory than is to be pinned. It refuses nothing: machines of a cloud may show less memory
/// than they get when they ask for it. Where it is not to be had, Linux ends the process while weights are loaded.
private func hostMemoryNote(_ bytes: Int, of memory: Int?) -> String? {
    guard let memory, bytes > memory else { return nil }
    return "host memory lacks \(gibibytes(bytes - memory)) of \(gibibytes(bytes)) to be pinned"
}

/// Columns of the same rows beside one another; a row that one column lacks is left out of it.
private func planTable(_ columns: [[(name: String, cell: String)]]) -> String {
    let names = columns.max { $0.count < $1.count }?.map(\.name) ?? []
    let width = names.reduce(0) { max($0, $1.count) }
    return names.map { name in
        let cells = columns.map { column in
            let cell = column.first { $0.name == name }?.cell ?? "-"
            let least = max(12, column.reduce(0) { max($0, $1.cell.count) } + 2)
            return String(repeating: " ", count: least - cell.count) + cell
        }
        return name + String(repeating: " ", count: width - name.count) + cells.joined()
    }.joined(separator: "\n") + "\n"
}

private func gigabytes(_ bytes: Int) -> String {
    String(format: "%.2f GB", Double(bytes) / 1e9)
}

private func milliseconds(_ seconds: Double) -> String {
    String(format: "%.1f ms", 1000 * seconds)
}
