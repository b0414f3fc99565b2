"""What a chat call names and does not hold: images and documents, fetched and looked at before an engine sees the call.

`loader` is the door: `MediaLoader.load` turns every `ImagePart` of a call into pictures and every `FilePart` into
text. What is behind it:

- `images`: from an address to bytes, by its scheme. `data_url` decodes `data:`; `fetch` brings `http(s)://` from
  the network, to the addresses that `outbound` allows; `oss://` is looked up among the account's uploads, `fileid://`
  among its files.
- `pictures`: the format and the size, read from an image's header (`image_headers`, `heic`, `orientation`). No pixel is
  decoded in this process.
- `decoding`: where an engine of this machine answers, from an image to a plain one; and always from a PDF to its pages.
  It is done in `picture_child`: `plain_images` and `plain_pixels` decode, `pdf_pages` draws, `picture_encoding` packs.
- `pixels`: what an image counts in tokens.
- `documents`: from a stored file to its text. `plain_text` decodes text; `pdf_text` and `docx_text` run in
  `document_child`.
- What these child processes and this one know of one another is in `picture_order` and `document_ending`; their bounds
  on time and memory are those of `qwenport.children`.
- `paged`: which files have pages, for who draws them and for the gate, which holds room for them before.
- `budget`: the ceilings on what one call may load. `room`: that on what all calls hold together.
- `refusals`: the words of everything that is refused.

Nothing is imported here, so that a child process starts with no more than it needs.
"""
