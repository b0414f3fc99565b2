"""What a chat call names and does not hold: images and documents, fetched and looked at before an engine sees the call.

`loader` is the door: `MediaLoader.load` turns every `ImagePart` of a call into a `Picture` and every `FilePart` into
text. What is behind it:

- `images`: from an address to bytes, by its scheme. `data_url` decodes `data:`; `fetch` brings `http(s)://` from
  the network, to the addresses that `outbound` allows; `oss://` is looked up among the account's uploads.
- `pictures`: the format and the size, read from an image's header. No pixel is decoded in this process.
- `pixels`: what an image counts in tokens.
- `documents`: from a stored file to its text. `plain_text` decodes text; `pdf_text` and `docx_text` run in
  `document_child`, a process of its own with bounds on time and memory, whose exit codes are in `document_ending`.
- `budget`: the ceiling on what one call may load. `refusals`: the words of everything that is refused.

Nothing is imported here, so that the child process starts with no more than it needs.
"""
