// Two RSA keys to try out with what libcrypto lets us do. They protect nothing and are no secret:
// only their sizes matter, and making new ones at every start would take longer than the trial.

/** PKCS #1 RSAPrivateKey, DER in Base64, by size in bits. */
export const trialKeys: Readonly<Record<1024 | 2048, string>> = {
  1024:
    "MIICXAIBAAKBgQCd8EPs/EhKGrYkvpwsA8vxkzuOf4Zm8yJmvk8EHncNN6rCi/aNGWas285ouALcnJP0OuOLE4YSNG" +
    "RCsEVbpsHaduSl0XILEbSbRhnhNf7FITyzQKkeWVt3+KxPp/lsp7vXui/u0pOg8OLg5SWPg7cj5i/ge6Eh76G2xSTv" +
    "TwxacwIDAQABAoGBAIlsRa4u1belBldygvDJXOsV8PxMeeWaKJS9goNS/sPBbBNbNWwQbgZ6O19ivRq4IwSfON4KXt" +
    "34OETOm4rjzkeqojg4/I2uA1/nPtWlGQ8dARVausaWkAC7FIe3WEkkRkvnok653O98iGoaP76gaswrvogN0WN/8Idn" +
    "tc02oJIBAkEAzkw/IPIYgRk2xSbxbcFIu2HVD7l5g0bl5kRmiQMfn8bBXmvQwcMtUdqVQe8q5CdZA1WxSKB9ZuONNO" +
    "LjtqeMFwJBAMP9YWVF4SJ839vkApV2bYCAtiEPrIQX6fD7SsFwsi6tCqjY2Puk4YyuMQx4XUvEK+X2+I2uP5udqZkt" +
    "aHybEgUCQG/3riPBgk8/Uhy7QDojt8gMF0nLjwoTRuAtq8EdcuKTS4xl1A32UvikPHJmzs66FHPc5LXYdXeMda2In7" +
    "MZSM0CQDEnuqbAyP9yXF71J+S+qCYjogpWuQkESmtjS1OK5VWpltPUV09+AgfbpHehNJ0NHYl20M4QFun7uA6wAdXG" +
    "utUCQBX2ZqwwVOXS60DTSQXAWtfWOlmP7ZRvvzp+dLsALdTzrsiPT7SWLUgc4NKK0H28a+2fV8P++k+djy/HZU+P6H" +
    "w=",
  2048:
    "MIIEpAIBAAKCAQEAyZiDSBbA5FJsOMiJw8xcvhmQ8VW1wYfz8RiHyCkIhbbwS8FObKVTVy7fUxbVPk2gjF0BLqvojf" +
    "pNy7YaFF6utbGgPP2Sq+1vOTBwYCUuGgFBVPhXRlMisCTq7OnUa7pmfLHIhABZBcDdR4OGYvrVV4j+k6xCOFujET3p" +
    "PZmDeva7xXBjlHiMJ4fR2Hr1UOeHIT92zHot9Q2vJNq/C/ZA98J/hUY32f9rmS53bzbCI8Um/iWVCs65mlKxPi0HzC" +
    "ccYC1NriSHpcBtPPRBoUyGPXEwFo7tMjHnABp2C2wSklZfwmlGD0iqOZ5ZE5cxcKo23W78T7dQLXW8zz2KDgXTXwID" +
    "AQABAoIBAAn/BQDNwrIk9XbPWCgcTxD3ZZIsmimcMIK+S6VSMOOofDvVZv/I0YbGLTlf2CJnE6nsxq07cE7x9Wo/f7" +
    "A44wLhaZJR+d7f6XRK1uz9ivlWd0MxA+rZySOLgRakSu3Ykqe7jQzL6PN5v78sYhKFtjnJR45SVqpCvlA8OKo0SCpl" +
    "plbILPEhleDsnOUjFQaEHAPgujeBbQVVKZSdEDDQ5yRvRRXsDXYFcN/AHFJVaDkoW8WU020M7VH9ELGVn+M55IGiJv" +
    "DJKZ4jtWHeic6WNstzpgv3l33iOSdRmLiio0DrQTiD3OxwyffDSEV26xzGQzMquehHXngBP/6AQTEqosECgYEA+jjW" +
    "FWkynnj/YdpNQ74cKy9Pix/4YAxXFtODs15BM/xYLIoWn1N9MTtxQR9WXHnmoukxyZIsAAQXMctaqr+0k7xJYWmadA" +
    "csL4xNlc0s7hgk97JoJsKdLrj8L9bwgvOafZNbSdjw5SQcwdHojmZc6XwuiwtPnkpEQCFiDAuW6GECgYEAzkA6HR5+" +
    "9mLKDASWZvNP7QBY8xY6Y/+zqSrfSxPZB2oyPwkQ69b5bSLeDn6WK9laM65jw1c0zSgSRRNscOLRWaXBX4zSko70mN" +
    "em7tu17IQpyBXFL7lCmsx0lbMF9IreRZ5wbBrLHsSVC9B9kNB55GoozawvfngNVAy2QTZ3U78CgYEA6V6G9HMnvbt1" +
    "3AqhEzREy1YVptkLanE37FcbNvgKcfTBO9ESZkiUs40QBL+4aQlcPManI6tLlDw8cbmKd0PSpBLwkYTPg7WI1VPSrI" +
    "sug2VLXSUslDHgLUpkEi4yJMAUb1g2xPorOlri4zXl4qG/uBeUxSOofyYe330DF97bQSECgYBn0CYwH/hx1bmzIN//" +
    "Q7rYJROgj3Cmgr8QiBbKeFwGAmr2FX8h5hu31hQFIaw+t/FSEBYA7bUTCndfs24ix9fuEqNpj70xrajqAanxkj9YpB" +
    "FPt71/zvT6a6zG6Mw3kWpdimk10KqqevI2dyOsr3KbCOAu3dsuAglbY+acnmijiwKBgQC/pB5QDZwNrlhJVZitaaRv" +
    "KxDjwSskTimmGIT7ANX3pQhmnKUkz1fljU7co/pB6m+o6KRJoD4DKbktVsManYml0KZknisTtGoHF267cZBxzrQi5t" +
    "l1WSvZ1/38+q+QqEoPIpBl0ym0CLblzic+tW244kOBKklJfCadQVPo7u+AEg==",
};
