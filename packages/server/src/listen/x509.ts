/** The little of X.509 that a server needs itself: making a certificate, and reading what TLS libraries do not tell. */
import { createHash, createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { endPointHash } from "@kith/protocol";
import { AsnConvert, AsnUtf8StringConverter, OctetString } from "@peculiar/asn1-schema";
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  BasicConstraints,
  Certificate,
  ExtendedKeyUsage,
  Extension,
  Extensions,
  GeneralName,
  id_ce_basicConstraints,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_subjectAltName,
  id_kp_clientAuth,
  id_kp_serverAuth,
  KeyUsage,
  KeyUsageFlags,
  Name,
  OtherName,
  RelativeDistinguishedName,
  SubjectAlternativeName,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity,
  Version,
} from "@peculiar/asn1-x509";

/** RFC 6120 §13.7.1.4, id-on-xmppAddr. */
const XMPP_ADDRESS = "1.3.6.1.5.5.7.8.5";
const COMMON_NAME = "2.5.4.3";
const ECDSA_WITH_SHA256 = "1.2.840.10045.4.3.2";

export interface CertificateRequest {
  readonly commonName: string;
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
  readonly xmppAddresses?: readonly string[];
  readonly from: Date;
  readonly to: Date;
  /** Who signs; the certificate signs itself if nobody does. */
  readonly issuer?: Issued;
  /** May it sign others? */
  readonly isAuthority?: boolean;
}

export interface Issued {
  /** PEM. */
  readonly certificate: string;
  /** PEM, PKCS #8. */
  readonly key: string;
}

/** A new ECDSA P-256 key and a certificate for it (RFC 5280, RFC 6120 §13.7.1.1). */
export const issueCertificate = (request: CertificateRequest): Issued => {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const { issuer } = request;
  const algorithm = new AlgorithmIdentifier({ algorithm: ECDSA_WITH_SHA256 });
  const subject = nameOf(request.commonName);
  const body = new TBSCertificate({
    version: Version.v3,
    serialNumber: serialNumber(),
    signature: algorithm,
    issuer: issuer === undefined ? subject : parse(derOf(issuer.certificate)).tbsCertificate.subject,
    validity: new Validity({ notBefore: request.from, notAfter: request.to }),
    subject,
    subjectPublicKeyInfo: AsnConvert.parse(publicKey.export({ format: "der", type: "spki" }), SubjectPublicKeyInfo),
    extensions: new Extensions(extensionsOf(request)),
  });
  const signer: KeyObject = issuer === undefined ? privateKey : createPrivateKey(issuer.key);
  const signature = sign("sha256", new Uint8Array(AsnConvert.serialize(body)), signer);
  const certificate = new Certificate({
    tbsCertificate: body,
    signatureAlgorithm: algorithm,
    signatureValue: exactBuffer(signature),
  });
  return {
    certificate: pemOf("CERTIFICATE", new Uint8Array(AsnConvert.serialize(certificate))),
    key: privateKey.export({ format: "pem", type: "pkcs8" }) as string,
  };
};

const extensionsOf = ({
  dnsNames = [],
  ipAddresses = [],
  xmppAddresses = [],
  isAuthority = false,
}: CertificateRequest): Extension[] => {
  const names = [
    ...dnsNames.map((dNSName) => new GeneralName({ dNSName })),
    ...ipAddresses.map((iPAddress) => new GeneralName({ iPAddress })),
    ...xmppAddresses.map((address) => new GeneralName({ otherName: xmppAddress(address) })),
  ];
  const usage = isAuthority
    ? KeyUsageFlags.keyCertSign | KeyUsageFlags.digitalSignature
    : KeyUsageFlags.digitalSignature;
  return [
    extension(id_ce_basicConstraints, new BasicConstraints({ cA: isAuthority }), true),
    extension(id_ce_keyUsage, new KeyUsage(usage), true),
    ...(isAuthority ? [] : [extension(id_ce_extKeyUsage, new ExtendedKeyUsage([id_kp_serverAuth, id_kp_clientAuth]))]),
    ...(names.length === 0 ? [] : [extension(id_ce_subjectAltName, new SubjectAlternativeName(names))]),
  ];
};

const extension = (extnID: string, value: object, critical = false): Extension =>
  new Extension({ extnID, critical, extnValue: new OctetString(AsnConvert.serialize(value)) });

const xmppAddress = (address: string): OtherName =>
  new OtherName({ typeId: XMPP_ADDRESS, value: AsnUtf8StringConverter.toASN(address).toBER() });

const nameOf = (commonName: string): Name =>
  new Name([
    new RelativeDistinguishedName([
      new AttributeTypeAndValue({ type: COMMON_NAME, value: new AttributeValue({ utf8String: commonName }) }),
    ]),
  ]);

/** RFC 5280 §4.1.2.2: positive, at most 20 octets. */
const serialNumber = (): ArrayBuffer => {
  const octets = randomBytes(16);
  octets[0] = ((octets[0] as number) & 0x7f) | 0x40;
  return exactBuffer(octets);
};

const exactBuffer = (octets: Uint8Array): ArrayBuffer => new Uint8Array(octets).buffer;

const pemOf = (label: string, der: Uint8Array): string =>
  `-----BEGIN ${label}-----\n${(
    Buffer.from(der)
      .toString("base64")
      .match(/.{1,64}/g) ?? []
  ).join("\n")}\n-----END ${label}-----\n`;

const PEM = /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END/;

/** The first certificate in a PEM file. */
const derOf = (pem: string): Uint8Array => Buffer.from(PEM.exec(pem)?.[1] ?? "", "base64");

const parse = (der: Uint8Array): Certificate => AsnConvert.parse(der, Certificate);

/** The `id-on-xmppAddr` names of a certificate, as text. */
export const xmppAddressesOf = (der: Uint8Array): readonly string[] => {
  const extensions = parse(der).tbsCertificate.extensions ?? [];
  const found = extensions.find(({ extnID }) => extnID === id_ce_subjectAltName);
  if (found === undefined) return [];
  return AsnConvert.parse(found.extnValue.buffer, SubjectAlternativeName).flatMap(({ otherName }) =>
    otherName?.typeId === XMPP_ADDRESS ? [utf8String(otherName.value)] : [],
  );
};

const UTF8_STRING = 0x0c;
/** The text of a DER UTF8String; names are short, so the length is one octet or two. */
const utf8String = (value: ArrayBuffer): string => {
  const octets = new Uint8Array(value);
  if (octets[0] !== UTF8_STRING) return "";
  const long = (octets[1] as number) & 0x80 ? (octets[1] as number) & 0x7f : 0;
  return new TextDecoder().decode(octets.subarray(2 + long));
};

/** By signature algorithm, the hash that RFC 5929 §4.1 asks for. None for Ed25519 and its like, which have no single one. */
const SIGNATURE_HASHES: Readonly<Record<string, string>> = {
  "1.2.840.113549.1.1.4": "MD5",
  "1.2.840.113549.1.1.5": "SHA-1",
  "1.2.840.113549.1.1.11": "SHA-256",
  "1.2.840.113549.1.1.12": "SHA-384",
  "1.2.840.113549.1.1.13": "SHA-512",
  "1.2.840.113549.1.1.14": "SHA-224",
  "1.2.840.10045.4.1": "SHA-1",
  "1.2.840.10045.4.3.1": "SHA-224",
  "1.2.840.10045.4.3.2": "SHA-256",
  "1.2.840.10045.4.3.3": "SHA-384",
  "1.2.840.10045.4.3.4": "SHA-512",
};

/** The data of the channel binding "tls-server-end-point" (RFC 5929 §4.1); `undefined` where it is not defined for this certificate. */
export const endPointOf = (der: Uint8Array): Uint8Array | undefined => {
  const hash = SIGNATURE_HASHES[parse(der).signatureAlgorithm.algorithm];
  return hash === undefined
    ? undefined
    : createHash(endPointHash(hash).replace("-", "").toLowerCase()).update(der).digest();
};
