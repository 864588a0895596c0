import Foundation
import Media
import Synchronization
import TestSupport
import Testing

@Suite(.serialized) struct MediaLogTests {
    /// A truncated file makes libav complain; only a sink that was set hears it.
    @Test func passesMessagesToTheSink() throws {
        let folder = TemporaryFolder()
        let path = folder.path("cut.m4a")
        let whole = try Data(contentsOf: URL(fileURLWithPath: media("tone.m4a")))
        try whole.prefix(whole.count / 2).write(to: URL(fileURLWithPath: path))

        let messages = Mutex<[String]>([])
        let sink: MediaLog.Sink = { level, message in
            if level == .error { messages.withLock { $0.append(message) } }
        }
        MediaLog.set(sink, level: .error)
        defer { MediaLog.set(nil) }
        _ = try? Waveform(path: path)
        let heard = messages.withLock { $0 }
        #expect(heard.contains { $0.contains("moov atom not found") }, "\(heard)")
        #expect(heard.allSatisfy { !$0.contains("\n") })

        MediaLog.set(nil)
        messages.withLock { $0 = [] }
        _ = try? Waveform(path: path)
        #expect(messages.withLock { $0.isEmpty })
    }
}
