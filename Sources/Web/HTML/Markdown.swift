import CCmark
import Foundation

/// CommonMark to HTML through cmark. Raw HTML and links to scripts in the source are dropped.
struct Markdown: Sendable, Equatable {
  struct Heading: Sendable, Equatable {
    let level: Int
    let id: String
    let text: String
  }

  let html: HTML
  /// Top-level headings in order; their ids stand in `html`.
  let headings: [Heading]

  /// What stands in place of a fenced block, from the words after its fence and the text inside;
  /// nil leaves it to cmark.
  typealias Fence = (_ info: String, _ text: String) throws -> HTML?

  /// - Parameter linesBefore: how many of the file's lines stand above the source.
  /// - Throws: `ContentError` when the source is larger than `ContentLimits.markdownBytes`, and what
  ///   `fence` throws, with the line of the block that it was about.
  init(
    _ source: String, file: String, linesBefore: Int = 0, fence: Fence = { _, _ in nil }
  ) throws {
    let bytes = Array(source.utf8)
    guard bytes.count <= ContentLimits.markdownBytes else {
      throw ContentError(
        file: file, message: "is larger than \(ContentLimits.markdownBytes) bytes of Markdown")
    }
    // Smart punctuation is off: what the writer typed is what stands in the page.
    let options = CMARK_OPT_VALIDATE_UTF8
    let parsed = bytes.withUnsafeBytes { buffer in
      cmark_parse_document(
        buffer.baseAddress?.assumingMemoryBound(to: CChar.self), buffer.count, options)
    }
    guard let document = parsed else {
      throw ContentError(file: file, message: "could not be read as Markdown")
    }
    defer { cmark_node_free(document) }

    var html = ""
    var headings: [Heading] = []
    var taken: Set<String> = []
    var block = cmark_node_first_child(document)
    while let node = block {
      let replaced: String?
      do {
        replaced = try Self.replacement(of: node, fence)
      } catch var error as ContentError {
        error.line = error.line ?? (linesBefore + Int(cmark_node_get_start_line(node)))
        throw error
      }
      let rendered = replaced ?? Self.render(node, options: options)
      if cmark_node_get_type(node) == CMARK_NODE_HEADING {
        let level = Int(cmark_node_get_heading_level(node))
        let text = Self.text(of: node)
        let id = Self.unusedID(for: text, taken: &taken)
        headings.append(Heading(level: level, id: id, text: text))
        // cmark writes a heading as `<hN>…`; the id goes into that first tag.
        html += "<h\(level) id=\"\(id)\"" + rendered.dropFirst("<hN".count)
      } else {
        html += rendered
      }
      block = cmark_node_next(node)
    }
    self.html = HTML(trusted: html)
    self.headings = headings
  }

  private static func replacement(of node: OpaquePointer, _ fence: Fence) throws -> String? {
    guard cmark_node_get_type(node) == CMARK_NODE_CODE_BLOCK,
      let info = cmark_node_get_fence_info(node), let text = cmark_node_get_literal(node)
    else { return nil }
    return try fence(String(cString: info), String(cString: text))?.text
  }

  private static func render(_ node: OpaquePointer, options: Int32) -> String {
    guard let rendered = cmark_render_html(node, options) else { return "" }
    defer { free(rendered) }
    return String(cString: rendered)
  }

  private static func text(of heading: OpaquePointer) -> String {
    guard let walk = cmark_iter_new(heading) else { return "" }
    defer { cmark_iter_free(walk) }
    var text = ""
    while cmark_iter_next(walk) != CMARK_EVENT_DONE {
      guard let node = cmark_iter_get_node(walk) else { continue }
      let type = cmark_node_get_type(node)
      if type == CMARK_NODE_TEXT || type == CMARK_NODE_CODE,
        let literal = cmark_node_get_literal(node)
      {
        text += String(cString: literal)
      } else if type == CMARK_NODE_SOFTBREAK {
        text += " "
      }
    }
    return text
  }

  /// `Créditos & uso` → `creditos-uso`; a second one gets `-2`.
  private static func unusedID(for text: String, taken: inout Set<String>) -> String {
    let plain = text.folding(options: [.diacriticInsensitive, .caseInsensitive], locale: nil)
    let words = plain.lowercased().split { !($0.isASCII && ($0.isLetter || $0.isNumber)) }
    let base = words.isEmpty ? "section" : words.joined(separator: "-")
    var id = base
    var number = 2
    while !taken.insert(id).inserted {
      id = "\(base)-\(number)"
      number += 1
    }
    return id
  }
}
